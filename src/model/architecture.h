// What a model is, apart from its weights: the shape of a decoder-only transformer of the Llama
// family, as its config.json or its GGUF metadata tells.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/document.h"
#include "base/number_format.h"

namespace presil {

/// How rotary embeddings are stretched to a longer context. kind none: not at all;
/// linear: frequencies divided by factor; llama3: by wavelength, as in Llama 3.1.
struct RopeScaling {
  enum class Kind { none, linear, llama3 };
  Kind kind = Kind::none;
  double factor = 1;
  double low_freq_factor = 1;
  double high_freq_factor = 4;
  std::int64_t original_context = 8192;

  friend bool operator==(const RopeScaling&, const RopeScaling&) = default;
};

struct Architecture {
  std::string name;    // "llama-3-8b"
  std::string family;  // "llama", "mistral", "qwen2", "qwen3"
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
  bool tied_embeddings = false;
  bool qkv_bias = false;  // Qwen2
  bool qk_norm = false;   // Qwen3
  Format dtype = Format::bf16;
  std::vector<std::int64_t> eos_tokens;
  std::int64_t bos_token = -1;

  friend bool operator==(const Architecture&, const Architecture&) = default;
};

/// Weights and biases, as model cards count them (a tied head counts once).
std::int64_t parameter_count(const Architecture& a);

/// The rotary frequency of each pair of dimensions: (head_dim / 2), scaling included.
std::vector<double> rope_frequencies(const Architecture& a);

/// Reads a Hugging Face config.json (keys old and new; keys that do not change the computation are
/// allowed and ignored). Throws InputError with every complaint: unsupported families, shapes that
/// do not divide, absurd sizes (bounds in the .cpp), keys that look like a slip. Keys that mean
/// nothing to us are ignored and their names put into `ignored`.
Architecture read_config(const Node& root, std::string name,
                         std::vector<std::string>* ignored = nullptr);

}  // namespace presil
