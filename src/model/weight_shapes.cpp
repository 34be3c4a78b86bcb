#include "model/weight_shapes.h"

#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.h"
#include "model/gguf_cursor.h"

namespace presil {
namespace {

using Shape = std::vector<std::int64_t>;

void check_divisors(const WeightTensor& t, const std::string& path) {
  if (t.format != Format::fp32) {
    throw file_error(path, fmt::format("tensor '{}': expected F32", t.name));
  }
  for (std::int64_t i = 0; i < t.shape.front(); ++i) {
    const auto divisor = load<float>(t.data.data() + i * std::int64_t{sizeof(float)});
    if (!std::isfinite(divisor) || divisor <= 0) {
      throw file_error(path, fmt::format("tensor '{}': expected positive numbers, found {} at {}",
                                         t.name, divisor, i));
    }
  }
}

}  // namespace

std::map<std::string, Shape> tensor_shapes(const Architecture& a) {
  const std::int64_t q = a.n_heads * a.head_dim;
  const std::int64_t kv = a.n_kv_heads * a.head_dim;
  std::map<std::string, Shape> shapes;
  shapes["token_embd.weight"] = {a.vocab_size, a.d_model};
  shapes["output_norm.weight"] = {a.d_model};
  if (!a.tied_embeddings) shapes["output.weight"] = {a.vocab_size, a.d_model};
  for (std::int64_t i = 0; i < a.n_layers; ++i) {
    const std::string layer = fmt::format("blk.{}.", i);
    shapes[layer + "attn_norm.weight"] = {a.d_model};
    shapes[layer + "attn_q.weight"] = {q, a.d_model};
    shapes[layer + "attn_k.weight"] = {kv, a.d_model};
    shapes[layer + "attn_v.weight"] = {kv, a.d_model};
    shapes[layer + "attn_output.weight"] = {a.d_model, q};
    shapes[layer + "ffn_norm.weight"] = {a.d_model};
    shapes[layer + "ffn_gate.weight"] = {a.d_ff, a.d_model};
    shapes[layer + "ffn_up.weight"] = {a.d_ff, a.d_model};
    shapes[layer + "ffn_down.weight"] = {a.d_model, a.d_ff};
    if (a.qkv_bias) {
      shapes[layer + "attn_q.bias"] = {q};
      shapes[layer + "attn_k.bias"] = {kv};
      shapes[layer + "attn_v.bias"] = {kv};
    }
    if (a.qk_norm) {
      shapes[layer + "attn_q_norm.weight"] = {a.head_dim};
      shapes[layer + "attn_k_norm.weight"] = {a.head_dim};
    }
  }
  return shapes;
}

void check_tensors(const Architecture& a, std::span<const WeightTensor> tensors,
                   const std::string& path,
                   const std::function<std::string(const std::string&)>& spelled) {
  std::map<std::string, Shape> expected = tensor_shapes(a);
  for (const WeightTensor& t : tensors) {
    if (t.name == "rope_freqs.weight") expected[t.name] = {a.head_dim / 2};
    const auto found = expected.find(t.name);
    if (found == expected.end()) {
      throw file_error(
          path,
          fmt::format("tensor '{}': not part of a {} model of {} layers, or not supported yet",
                      name_for_message(spelled(t.name)), a.family, a.n_layers));
    }
    if (t.shape != found->second) {
      throw file_error(
          path, fmt::format("tensor '{}': expected the shape ({}), found ({})", spelled(t.name),
                            fmt::join(found->second, ", "), fmt::join(t.shape, ", ")));
    }
    if (t.name == "rope_freqs.weight") check_divisors(t, path);
    expected.erase(found);
  }
  if (!expected.empty()) {
    throw file_error(
        path,
        fmt::format("missing tensor '{}'{}", spelled(expected.begin()->first),
                    expected.size() == 1 ? "" : fmt::format(" and {} more", expected.size() - 1)));
  }
}

}  // namespace presil
