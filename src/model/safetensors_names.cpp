#include "model/safetensors_names.h"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

namespace presil {
namespace {

struct Name {
  std::string_view checkpoint;
  std::string_view gguf;
};

constexpr Name kWhole[] = {
    {"model.embed_tokens.weight", "token_embd.weight"},
    {"model.norm.weight", "output_norm.weight"},
    {"lm_head.weight", "output.weight"},
};

constexpr std::string_view kLayers = "model.layers.";
constexpr std::string_view kBlocks = "blk.";

// Of layer N, after "model.layers.N." and "blk.N.".
constexpr Name kOfLayer[] = {
    {"input_layernorm.weight", "attn_norm.weight"},
    {"self_attn.q_proj.weight", "attn_q.weight"},
    {"self_attn.k_proj.weight", "attn_k.weight"},
    {"self_attn.v_proj.weight", "attn_v.weight"},
    {"self_attn.o_proj.weight", "attn_output.weight"},
    {"self_attn.q_proj.bias", "attn_q.bias"},
    {"self_attn.k_proj.bias", "attn_k.bias"},
    {"self_attn.v_proj.bias", "attn_v.bias"},
    {"self_attn.q_norm.weight", "attn_q_norm.weight"},
    {"self_attn.k_norm.weight", "attn_k_norm.weight"},
    {"post_attention_layernorm.weight", "ffn_norm.weight"},
    {"mlp.gate_proj.weight", "ffn_gate.weight"},
    {"mlp.up_proj.weight", "ffn_up.weight"},
    {"mlp.down_proj.weight", "ffn_down.weight"},
};

constexpr std::string_view kIgnoredEnds[] = {".input_scale",   ".output_scale", ".k_scale",
                                             ".v_scale",       ".kv_scale",     ".inv_freq",
                                             ".input_scale_ub"};

/// Translates `name`: `from` and `to` are the columns of the tables, the prefixes those of layers.
std::optional<std::string> translate(std::string_view name, std::string_view Name::*from,
                                     std::string_view Name::*to, std::string_view prefix,
                                     std::string_view new_prefix) {
  for (const Name& n : kWhole) {
    if (n.*from == name) return std::string(n.*to);
  }
  if (!name.starts_with(prefix)) return std::nullopt;
  name.remove_prefix(prefix.size());
  const std::size_t dot = name.find('.');
  if (dot == std::string_view::npos) return std::nullopt;
  const std::string_view layer = name.substr(0, dot);
  const bool is_number =
      !layer.empty() && (layer == "0" || layer.front() != '0') &&
      std::all_of(layer.begin(), layer.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
  if (!is_number) return std::nullopt;
  for (const Name& n : kOfLayer) {
    if (n.*from == name.substr(dot + 1)) {
      return fmt::format("{}{}.{}", new_prefix, layer, n.*to);
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> gguf_name(std::string_view checkpoint_name) {
  return translate(checkpoint_name, &Name::checkpoint, &Name::gguf, kLayers, kBlocks);
}

std::string checkpoint_name(std::string_view gguf_name) {
  return translate(gguf_name, &Name::gguf, &Name::checkpoint, kBlocks, kLayers)
      .value_or(std::string(gguf_name));
}

std::optional<std::string> scaled_tensor(std::string_view name) {
  for (const std::string_view end : {"_scale", "_scale_inv"}) {
    if (name.ends_with(fmt::format(".weight{}", end))) {
      return std::string(name.substr(0, name.size() - end.size()));
    }
  }
  return std::nullopt;
}

bool is_ignored(std::string_view name) {
  return std::any_of(std::begin(kIgnoredEnds), std::end(kIgnoredEnds),
                     [&](std::string_view end) { return name.ends_with(end); });
}

}  // namespace presil
