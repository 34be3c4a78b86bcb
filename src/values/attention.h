// Attention over a KV cache, flash style: keys come in tiles, in order, with a running maximum and
// a running sum, so that no row of scores is ever whole.
#pragma once

#include <cstdint>
#include <span>

#include "base/number_format.h"
#include "values/vector_functions.h"

namespace presil {

struct AttentionHeads {
  std::int64_t n_heads = 1;
  std::int64_t n_kv_heads = 1;  // query head h reads KV head h / (n_heads / n_kv_heads)
  std::int64_t head_dim = 1;
  std::int64_t window = 0;         // keys a query sees, itself included; 0: all before it
  std::int64_t tile = 0;           // keys a tile; 0: all at once
  Format operands = Format::fp32;  // queries and probabilities are rounded to it (fp32, fp16, bf16)
  const VectorUnit* functions = nullptr;  // for exp; nothing: exact
};

/// One sequence. `queries` and `out`: (new, n_heads * head_dim); `keys` and `values`: (n_keys,
/// n_kv_heads * head_dim), already rounded, whose last is that of the last query and whose first is
/// number `first_key` of the sequence. Query i sees keys up to its own. Tiles start at multiples of
/// the tile in the sequence, wherever the window starts.
void attention(const AttentionHeads& shape, std::span<const float> queries,
               std::span<const float> keys, std::span<const float> values, std::span<float> out,
               std::int64_t first_key = 0);

}  // namespace presil
