// What is asked of one design point: the options of `presil run`, which other verbs build on.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "explore/phase.h"
#include "explore/quality.h"
#include "values/sampling.h"

namespace presil {

/// Where shipped files and fetched weights are.
struct Places {
  std::filesystem::path home;   // chips/, memories/, models/, ...
  std::filesystem::path cache;  // weights, as NAME.gguf
};

enum class Mode { values, cycles, both };
enum class PhaseChoice { prefill, decode, both };

struct RunRequest {
  std::string chip;
  std::string model;
  std::vector<std::string> overrides;  // --set
  Mode mode = Mode::cycles;
  PhaseChoice phase = PhaseChoice::both;
  std::int64_t batch = 1;
  std::int64_t prompt_tokens = 512;
  std::int64_t context = 512;                   // tokens in the cache before a decode step
  std::vector<std::int64_t> prompts, contexts;  // of each sequence, in turn; empty: all alike
  std::int64_t tensor_parallel = 1;
  std::string network;  // a name in networks/, instead of the chip's; "": the chip's
  std::int64_t pipeline_parallel = 1;
  std::int64_t microbatches = 0;  // of a replica's sequences; 0: one a stage, where they divide
  std::int64_t data_parallel = 1;
  std::int64_t expert_parallel = 1;
  double expert_imbalance = 1;  // pairs of the busiest chip over those of the mean one
  bool sequence_parallel = false;
  std::optional<std::string> prompt;  // text; needs weights
  std::int64_t max_tokens = 16;       // -n
  std::string weights;   // a GGUF file or a checkpoint; "": the model's own, where it has one
  std::string dtype;     // that weights are stored in without a file; "": numerics say
  std::string mapping;   // a mapping/1 file whose mappings are pinned; "": all are searched
  std::string numerics;  // a name or a file; "": the chip's, else ggml or bf16
  std::string software;  // serving engine; "": the usual one for the chip
  std::optional<LaunchMode> launch;  // how kernels are launched; nothing: as the software does
  std::int64_t kv_page = 0;          // tokens of a page of the KV cache; 0: the software's
  bool record_transfers = false;     // keep when each DRAM transfer came, for a trace
  bool burst = false;  // the highest clock, whatever the power limit; else what can be sustained
  bool warm_cache = false;  // a benchmark's loop: what fits the last-level cache stays there
  SamplingOptions sampling;
  CompareRequest compare;
};

/// Throws InputError for options that no run can have together, or whose value none can have.
void check_request(const RunRequest& request);

}  // namespace presil
