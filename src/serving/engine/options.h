// How an engine schedules: the knobs of vLLM by their names there (v1 engine), and what differs
// between roles.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace presil::serving {

enum class Batching {
  continuous,     // vLLM v1: requests join and leave at every step
  static_batches  // a batch is taken whole, padded to its longest prompt, and ends with its last
                  // token
};

/// What a replica does of a request, where prefill and decode are kept apart.
enum class Role { both, prefill, decode };
std::string_view to_string(Role role);

/// Speculative decoding: a draft proposes `tokens`, one step of the model checks them.
struct Speculation {
  std::int64_t tokens = 0;  // proposed a step (num_speculative_tokens); 0: none
  double acceptance = 0;    // chance that a proposed token is right, given that those before it are
  std::string draft = "";   // the model that proposes; "": proposals cost nothing (n-grams)
};

struct EngineOptions {
  Batching batching = Batching::continuous;
  Role role = Role::both;
  std::int64_t max_num_seqs = 256;
  std::int64_t max_num_batched_tokens = 2048;
  std::int64_t max_model_len = 8192;
  std::int64_t block_size = 16;         // tokens of a KV block
  std::int64_t num_blocks = 0;          // of the replica's KV cache; each spans all its chips. 0:
                                        // whoever deploys derives it from the chip's memory
  double gpu_memory_utilization = 0.9;  // share of the memory that may be used, weights included
  bool chunked_prefill = true;  // a prompt may be read in pieces; else it waits for a budget
                                // that holds all of it
  bool prefix_caching = true;
  std::int64_t pipeline_stages = 1;  // so many batches may be in flight
  Speculation speculation;
  std::uint64_t seed = 0;  // of accepted drafts
};

/// Bounds of the options, for readers of files: far beyond any engine, and sums of them stay within
/// 64 bits.
inline constexpr std::int64_t kMaxSequences = 1'000'000;
inline constexpr std::int64_t kMaxTokens = 1'000'000'000;  // of a step, a context, a block
inline constexpr std::int64_t kMaxBlocks = 1'000'000'000;

}  // namespace presil::serving
