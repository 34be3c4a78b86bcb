#include "model/config_experts.h"

#include <algorithm>
#include <string>

#include <fmt/format.h>

namespace presil {
namespace {

constexpr Range kExperts{1, 4096};
constexpr Range kWidth{1, 1 << 20};
constexpr Range kRank{1, 1 << 18};
constexpr Range kHeadPart{1, 1024};
constexpr Range kLayerIndex{0, 1024};
constexpr Range kStep{1, 1024};
constexpr Range kContext{1, 1 << 27};

constexpr std::string_view kKeys[] = {
    "attention_chunk_size",
    "decoder_sparse_step",
    "first_k_dense_replace",
    "interleave_moe_layer_step",
    "intermediate_size_mlp",
    "kv_lora_rank",
    "layer_types",
    "mlp_only_layers",
    "moe_intermediate_size",
    "moe_layer_freq",
    "n_routed_experts",
    "n_shared_experts",
    "num_experts",
    "num_experts_per_tok",
    "num_local_experts",
    "q_lora_rank",
    "qk_nope_head_dim",
    "qk_rope_head_dim",
    "text_config",
    "use_qk_norm",
    "v_head_dim",
};

void read_counts(Fields& fields, std::string_view count_key, Experts& e) {
  e.count = fields.integer(count_key, "experts of a layer", kExperts);
  e.per_token = fields.integer("num_experts_per_tok", "experts a token is sent to", kExperts);
  fields.require(e.per_token <= e.count, "num_experts_per_tok",
                 fmt::format("expected at most {} experts, found {}", e.count, e.per_token));
}

void read_mixtral(Fields& fields, Architecture& a) {
  read_counts(fields, "num_local_experts", a.experts);
  a.experts.d_ff = a.d_ff;
}

void read_qwen3_moe(Fields& fields, Architecture& a) {
  Experts& e = a.experts;
  read_counts(fields, "num_experts", e);
  e.d_ff = fields.integer("moe_intermediate_size", "width of an expert", kWidth);
  e.every = fields.integer_or("decoder_sparse_step", "layers from one with experts to the next", 1,
                              kStep);
  e.first_layer = e.every - 1;
  fields.require(fields.texts_or_none("mlp_only_layers", "layers without experts").empty(),
                 "mlp_only_layers", "layers chosen one by one are not supported yet");
}

void read_gpt_oss(Fields& fields, Architecture& a) {
  Experts& e = a.experts;
  read_counts(fields, "num_local_experts", e);
  e.d_ff = a.d_ff;
  e.router_bias = true;
  e.biases = true;
  a.sinks = true;
}

void read_llama4(Fields& fields, Architecture& a) {
  Experts& e = a.experts;
  read_counts(fields, "num_local_experts", e);
  e.d_ff = a.d_ff;
  e.shared_d_ff = a.d_ff;  // one shared expert (recalled: transformers' Llama4TextMoe)
  a.d_ff = fields.integer("intermediate_size_mlp", "width of a dense layer's block", kWidth);
  e.every = fields.integer("interleave_moe_layer_step", "layers from one with experts to the next",
                           kStep);
  e.first_layer = e.every - 1;
  fields.flag_or("use_qk_norm", "norms without weights over rotated heads", false);
}

void read_deepseek(Fields& fields, Architecture& a) {
  Experts& e = a.experts;
  read_counts(fields, "n_routed_experts", e);
  e.d_ff = fields.integer("moe_intermediate_size", "width of an expert", kWidth);
  e.shared_d_ff =
      e.d_ff * fields.integer_or("n_shared_experts", "experts of every token", 0, kLayerIndex);
  e.first_layer =
      fields.integer_or("first_k_dense_replace", "dense layers at the start", 0, kLayerIndex);
  fields.require(fields.integer_or("moe_layer_freq", "layers from one with experts to the next", 1,
                                   kStep) == 1,
                 "moe_layer_freq", "is not supported yet unless it is 1");
  e.router_bias = true;  // the correction of the scores that choose
  LatentAttention& l = a.latent;
  l.q_rank = fields.integer("q_lora_rank", "width of compressed queries", kRank);
  l.kv_rank = fields.integer("kv_lora_rank", "width of compressed keys and values", kRank);
  l.nope_dim = fields.integer("qk_nope_head_dim", "of a key, not rotated", kHeadPart);
  l.rope_dim = fields.integer("qk_rope_head_dim", "of a key, rotated", kHeadPart);
  l.value_dim = fields.integer("v_head_dim", "of a value", kHeadPart);
  a.head_dim = l.nope_dim + l.rope_dim;
}

/// gpt-oss: layers take turns, a sliding window first. Llama 4: every fourth layer sees all keys,
/// the others those of their chunk.
std::vector<Window> usual_windows(Fields& fields, std::string_view family, const Architecture& a) {
  std::vector<Window> windows;
  if (family == "gpt_oss") {
    for (std::int64_t l = 0; l < a.n_layers; ++l) {
      windows.push_back(l % 2 == 0 ? Window{a.sliding_window} : Window{});
    }
  }
  if (family == "llama4_text") {
    const std::int64_t chunk =
        fields.integer_or("attention_chunk_size", "keys of a chunk", 8192, kContext);
    for (std::int64_t l = 0; l < a.n_layers; ++l) {
      windows.push_back(l % 4 == 3 ? Window{} : Window{chunk, true});
    }
  }
  return windows;
}

}  // namespace

void read_family_extras(Fields& fields, std::string_view family, Architecture& a) {
  if (family == "mixtral") read_mixtral(fields, a);
  if (family == "qwen3_moe") read_qwen3_moe(fields, a);
  if (family == "gpt_oss") read_gpt_oss(fields, a);
  if (family == "llama4_text") read_llama4(fields, a);
  if (family == "deepseek_v3") read_deepseek(fields, a);
  read_layer_types(fields, usual_windows(fields, family, a), a);
}

void read_layer_types(Fields& fields, std::vector<Window> otherwise, Architecture& a) {
  const auto kinds = fields.texts_or_none("layer_types", "attention of each layer");
  std::vector<Window> windows;
  for (const std::string& kind : kinds) {
    const bool known = kind == "full_attention" || kind == "sliding_attention" ||
                       (kind == "chunked_attention" && !otherwise.empty());
    fields.require(known, "layer_types",
                   fmt::format("\"{}\" is not supported yet; expected full_attention or "
                               "sliding_attention",
                               kind));
    if (kind == "chunked_attention" && !otherwise.empty()) windows.push_back(otherwise.front());
    if (kind == "sliding_attention") windows.push_back({a.sliding_window});
    if (!known || kind == "full_attention") windows.push_back({});
  }
  const auto layers = static_cast<std::size_t>(a.n_layers);
  fields.require(kinds.empty() || kinds.size() == layers, "layer_types",
                 fmt::format("expected {} kinds, one a layer, found {}", layers, kinds.size()));
  if (kinds.empty()) windows = std::move(otherwise);
  if (windows.empty()) return;
  windows.resize(layers);
  const bool alike = std::all_of(windows.begin(), windows.end(),
                                 [&](const Window& w) { return w == windows.front(); });
  if (alike && !windows.front().chunked) {
    a.sliding_window = windows.front().keys;
  } else {
    a.windows = std::move(windows);
  }
}

bool is_key_of_extras(std::string_view key) {
  return std::find(std::begin(kKeys), std::end(kKeys), key) != std::end(kKeys);
}

}  // namespace presil
