// What a model is, apart from its weights: the shape of a decoder-only transformer, or of an
// encoder of speech, as its config.json or its GGUF metadata tells. Its layers may differ: dense or
// with experts, seeing all keys or a window of them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/document.h"
#include "base/number_format.h"
#include "base/numerics.h"
#include "base/window.h"

namespace presil {

/// How rotary embeddings are stretched to a longer context. kind none: not at all;
/// linear: frequencies divided by factor; llama3: by wavelength, as in Llama 3.1; yarn: of models
/// that are run for their cycles only.
struct RopeScaling {
  enum class Kind { none, linear, llama3, yarn };
  Kind kind = Kind::none;
  double factor = 1;
  double low_freq_factor = 1;
  double high_freq_factor = 4;
  std::int64_t original_context = 8192;

  friend bool operator==(const RopeScaling&, const RopeScaling&) = default;
};

/// The experts of feed-forward blocks: a router chooses some for each token.
struct Experts {
  std::int64_t count = 0;        // of a layer; 0: the model has none
  std::int64_t per_token = 0;    // that the router chooses
  std::int64_t d_ff = 0;         // of one
  std::int64_t shared_d_ff = 0;  // of those that every token passes, side by side; 0: none
  // Layers first_layer, first_layer + every, ... have experts, the others are dense.
  std::int64_t first_layer = 0;
  std::int64_t every = 1;
  bool router_bias = false;
  bool biases = false;          // of the experts' products
  std::optional<Operand> kept;  // what checkpoints keep them in, where that is not dtype

  friend bool operator==(const Experts&, const Experts&) = default;
};

/// Multi-head latent attention (DeepSeek): a token leaves kv_rank + rope_dim numbers in the cache,
/// from which every head's key (nope_dim + rope_dim) and value are made.
struct LatentAttention {
  std::int64_t q_rank = 0;
  std::int64_t kv_rank = 0;  // 0: the model has other attention
  std::int64_t nope_dim = 0;
  std::int64_t rope_dim = 0;
  std::int64_t value_dim = 0;

  friend bool operator==(const LatentAttention&, const LatentAttention&) = default;
};

struct Architecture {
  std::string name;    // "llama-3-8b"
  std::string family;  // "llama", "mistral", "qwen2", "qwen3", "mixtral", "deepseek_v3", ...
  std::int64_t n_layers = 0;
  std::int64_t d_model = 0;
  std::int64_t d_ff = 0;
  std::int64_t n_heads = 0;
  std::int64_t n_kv_heads = 0;
  std::int64_t head_dim = 0;
  std::int64_t vocab_size = 0;
  std::int64_t max_context = 0;
  double norm_eps = 1e-5;
  double rope_theta = 10000;
  RopeScaling rope_scaling;
  std::int64_t sliding_window = 0;  // 0: full attention
  std::vector<Window> windows;      // by layer, where they differ; else empty
  Experts experts;
  LatentAttention latent;
  bool tied_embeddings = false;
  bool gated = true;         // the feed-forward block: SwiGLU of gate and up; else GELU of up
  bool encoder = false;      // every position sees all others, and nothing follows the last norm
  bool qkv_bias = false;     // Qwen2
  bool output_bias = false;  // of the attention's last product: gpt-oss
  bool sinks = false;        // a learned score a head beside those of the keys: gpt-oss
  bool qk_norm = false;      // Qwen3
  Format dtype = Format::bf16;
  std::vector<std::int64_t> eos_tokens;
  std::int64_t bos_token = -1;

  friend bool operator==(const Architecture&, const Architecture&) = default;
};

/// Whether `layer` has experts.
bool has_experts(const Architecture& a, std::int64_t layer);

/// The keys that queries of `layer` see.
Window window_of(const Architecture& a, std::int64_t layer);

/// What a token leaves in the caches of one layer, in numbers.
std::int64_t cache_width(const Architecture& a);

/// What of the model is timed but not run for its values yet; "" when nothing is.
std::string only_timed(const Architecture& a);

/// Weights and biases, as model cards count them (a tied head counts once).
std::int64_t parameter_count(const Architecture& a);

/// Those of them that one token passes: all but the experts not chosen for it.
std::int64_t active_parameter_count(const Architecture& a);

/// The rotary frequency of each pair of dimensions: (head_dim / 2), scaling included.
std::vector<double> rope_frequencies(const Architecture& a);

/// Reads a Hugging Face config.json (keys old and new; keys that do not change the computation are
/// allowed and ignored). Throws InputError with every complaint: unsupported families, shapes that
/// do not divide, absurd sizes (bounds in the .cpp), keys that look like a slip. Keys that mean
/// nothing to us are ignored and their names put into `ignored`.
Architecture read_config(const Node& root, std::string name,
                         std::vector<std::string>* ignored = nullptr);

}  // namespace presil
