#include "model/architecture.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/error.h"

namespace presil {
namespace {

std::int64_t latent_attention_parameters(const Architecture& a) {
  const LatentAttention& l = a.latent;
  const std::int64_t queries = l.q_rank * (a.d_model + 1 + a.n_heads * (l.nope_dim + l.rope_dim));
  const std::int64_t keys_and_values = a.d_model * (l.kv_rank + l.rope_dim) +
                                       l.kv_rank * (1 + a.n_heads * (l.nope_dim + l.value_dim));
  return queries + keys_and_values + a.n_heads * l.value_dim * a.d_model;
}

std::int64_t attention_parameters(const Architecture& a) {
  if (a.latent.kv_rank > 0) return latent_attention_parameters(a);
  const std::int64_t q_width = a.n_heads * a.head_dim;
  const std::int64_t kv_width = a.n_kv_heads * a.head_dim;
  std::int64_t sum = a.d_model * (q_width + 2 * kv_width) + q_width * a.d_model;
  if (a.qkv_bias) sum += q_width + 2 * kv_width;
  if (a.output_bias) sum += a.d_model;
  if (a.sinks) sum += a.n_heads;
  if (a.qk_norm) sum += 2 * a.head_dim;
  return sum;
}

/// Of a layer of which a token passes `experts`.
std::int64_t feed_forward_parameters(const Architecture& a, std::int64_t layer,
                                     std::int64_t experts) {
  if (!has_experts(a, layer)) return (a.gated ? 3 : 2) * a.d_model * a.d_ff;
  const Experts& e = a.experts;
  const std::int64_t router = e.count * (a.d_model + (e.router_bias ? 1 : 0));
  const std::int64_t biases = e.biases ? 2 * e.d_ff + a.d_model : 0;
  return router + experts * (3 * a.d_model * e.d_ff + biases) + 3 * a.d_model * e.shared_d_ff;
}

std::int64_t count_parameters(const Architecture& a, std::int64_t experts) {
  std::int64_t sum = a.d_model + a.vocab_size * a.d_model * (a.tied_embeddings ? 1 : 2);
  for (std::int64_t layer = 0; layer < a.n_layers; ++layer) {
    sum += attention_parameters(a) + feed_forward_parameters(a, layer, experts) + 2 * a.d_model;
  }
  return sum;
}

}  // namespace

bool has_experts(const Architecture& a, std::int64_t layer) {
  const Experts& e = a.experts;
  return e.count > 0 && layer >= e.first_layer && (layer - e.first_layer) % e.every == 0;
}

Window window_of(const Architecture& a, std::int64_t layer) {
  if (a.encoder) return {0, false, true};
  return a.windows.empty() ? Window{a.sliding_window} : a.windows[static_cast<std::size_t>(layer)];
}

std::int64_t cache_width(const Architecture& a) {
  return a.latent.kv_rank > 0 ? a.latent.kv_rank + a.latent.rope_dim
                              : 2 * a.n_kv_heads * a.head_dim;
}

std::string only_timed(const Architecture& a) {
  if (a.encoder) return "an encoder";
  if (a.experts.count > 0) return "a mixture of experts";
  if (a.latent.kv_rank > 0) return "latent attention";
  return "";
}

std::int64_t parameter_count(const Architecture& a) {
  return count_parameters(a, a.experts.count);
}

std::int64_t active_parameter_count(const Architecture& a) {
  return count_parameters(a, a.experts.per_token);
}

std::vector<double> rope_frequencies(const Architecture& a) {
  const RopeScaling& s = a.rope_scaling;
  const auto context = static_cast<double>(s.original_context);
  const auto dim = static_cast<double>(a.head_dim);
  std::vector<double> frequencies;
  for (std::int64_t i = 0; i < a.head_dim / 2; ++i) {
    const double frequency = std::pow(a.rope_theta, -2 * static_cast<double>(i) / dim);
    const double turns = context * frequency / (2 * std::numbers::pi);  // over the old context
    // 0: as slow as the old context allows, fully stretched; 1: fast, kept as it is.
    const double keep = std::clamp(
        (turns - s.low_freq_factor) / (s.high_freq_factor - s.low_freq_factor), 0.0, 1.0);
    switch (s.kind) {
      case RopeScaling::Kind::yarn:
        throw InternalError("a model with yarn has no values");
      case RopeScaling::Kind::none:
        frequencies.push_back(frequency);
        break;
      case RopeScaling::Kind::linear:
        frequencies.push_back(frequency / s.factor);
        break;
      case RopeScaling::Kind::llama3:
        frequencies.push_back((1 - keep) * frequency / s.factor + keep * frequency);
        break;
    }
  }
  return frequencies;
}

}  // namespace presil
