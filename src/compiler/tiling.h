// Choosing tiles: which loop nest runs an operator on this chip.
#pragma once

#include <cstdint>

#include "base/error.h"
#include "chip/chip.h"
#include "compiler/gemm_search.h"
#include "program/program.h"

namespace presil {

/// The elements along k that are stored together or share a scale, at least 32: a tile that ends
/// inside them would tear them apart.
std::int64_t k_block(Format format, Scaling scaling);

/// The cheapest mapping of `shape` on `chip`, whose DRAM moves `dram` bytes a second. Infeasible
/// when not even the smallest tile fits, saying what of it is too large and by how many bytes.
Feasible<Mapping> choose_gemm_mapping(const GemmShape& shape, const Chip& chip,
                                      BytesPerSecond dram);

/// `queries` x `keys` of attention for one KV head with `group` query heads: tiles over KV heads
/// and queries go to cores, keys pass in time; with few queries the keys are split over cores as
/// well. Query heads that share keys are packed into a tile, as many as fit.
struct AttentionShape {
  std::int64_t kv_heads = 1, group = 1, head_dim = 64;
  std::int64_t queries = 1;
  Operand cache;
};
Feasible<Mapping> choose_attention_mapping(const AttentionShape& shape, const Chip& chip);

/// What a core's local memory holds of a tile of `queries` and `keys`: two buffers of keys and
/// values, the queries, and their scores and sums in fp32.
struct AttentionTileBytes {
  std::int64_t keys = 0, queries = 0, sums = 0;
  std::int64_t total() const { return keys + queries + sums; }
};
AttentionTileBytes tile_bytes(const AttentionShape& shape, std::int64_t queries, std::int64_t keys);

}  // namespace presil
