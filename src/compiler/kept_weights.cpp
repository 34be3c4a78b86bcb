#include "compiler/kept_weights.h"

#include <fmt/format.h>

#include "base/error.h"
#include "program/program.h"

namespace presil {
namespace {

std::vector<std::string> names_in_layers(const Architecture& model) {
  std::vector<std::string> names = {"attn_norm.weight", "attn_q.weight",      "attn_k.weight",
                                    "attn_v.weight",    "attn_output.weight", "ffn_norm.weight",
                                    "ffn_gate.weight",  "ffn_up.weight",      "ffn_down.weight"};
  if (model.qkv_bias) {
    names.insert(names.end(), {"attn_q.bias", "attn_k.bias", "attn_v.bias"});
  }
  if (model.qk_norm) names.insert(names.end(), {"attn_q_norm.weight", "attn_k_norm.weight"});
  for (std::string& name : names) name = "blk.*." + name;
  return names;
}

std::vector<Operand> kept_in_layer(const Architecture& model, const CompileOptions& options,
                                   std::int64_t layer) {
  std::vector<Operand> kept;
  for (const std::string& name : names_in_layers(model)) {
    const bool is_matrix = !name.ends_with("norm.weight") && !name.ends_with(".bias");
    kept.push_back(
        kept_as(model, options, name, layer, is_matrix, options.numerics.products.weights));
  }
  return kept;
}

bool are_built_alike(const Architecture& model, std::int64_t a, std::int64_t b) {
  return window_of(model, a) == window_of(model, b) &&
         has_experts(model, a) == has_experts(model, b);
}

}  // namespace

Operand kept_as(const Architecture& model, const CompileOptions& options, const std::string& name,
                std::int64_t layer, bool is_matrix, const std::optional<Operand>& made) {
  std::optional<Operand> stored = Operand{is_matrix ? options.weights : options.numerics.stream};
  if (options.stored_as) {
    const std::string concrete = name_in_layer(name, layer);
    stored = options.stored_as(concrete);
    if (!stored) {
      throw InputError(fmt::format("{}: the weights have no tensor '{}'", model.name, concrete));
    }
  }
  return is_matrix && made ? *made : *stored;
}

std::optional<Operand> embedding_operand(const Architecture& model, const Numerics& numerics) {
  if (model.tied_embeddings) return numerics.of_head().weights;
  // One that is only looked up in needs no more than the stream's format.
  return numerics.products.weights ? std::optional(Operand{numerics.stream}) : std::nullopt;
}

std::vector<LayerRun> runs_of_like_layers(const Architecture& model, const CompileOptions& options,
                                          std::int64_t first, std::int64_t count) {
  std::vector<LayerRun> runs = {{first, 1}};
  std::vector<Operand> kept = kept_in_layer(model, options, first);
  for (std::int64_t layer = first + 1; layer < first + count; ++layer) {
    std::vector<Operand> next = kept_in_layer(model, options, layer);
    if (next == kept && are_built_alike(model, layer - 1, layer)) {
      ++runs.back().count;
    } else {
      runs.push_back({layer, 1});
      kept = std::move(next);
    }
  }
  return runs;
}

}  // namespace presil
