// Choosing tiles: which loop nest runs an operator on this chip.
//
// The candidates are few and their cost is a closed form, so the search is exhaustive. Every
// candidate's operand tiles fit a core's local memory twice, for double buffering.
#pragma once

#include <compare>
#include <cstdint>

#include "base/error.h"
#include "chip/chip.h"
#include "program/program.h"

namespace presil {

/// out[m, n] = in[m, k] x weights[n, k]^T.
struct GemmShape {
  std::int64_t m = 1, n = 1, k = 1;
  Format activations = Format::bf16;
  Format weights = Format::bf16;
  Format multiply = Format::bf16;
  Scaling scaling = Scaling::none;  // of the weights
  std::int64_t k_block = 32;        // tiles along k are multiples of it
  auto operator<=>(const GemmShape&) const = default;
};

/// The elements along k that are stored together or share a scale, at least 32: a tile that ends
/// inside them would tear them apart.
std::int64_t k_block(Format format, Scaling scaling);

/// The cheapest mapping of `shape` on `chip`, whose DRAM moves `dram` bytes a second. Infeasible
/// when not even the smallest tile fits, saying by how many bytes.
Feasible<Mapping> choose_gemm_mapping(const GemmShape& shape, const Chip& chip,
                                      BytesPerSecond dram);

/// `queries` x `keys` of attention for one KV head with `group` query heads: tiles over KV heads
/// and queries go to cores, keys pass in time; with few queries the keys are split over cores as
/// well.
struct AttentionShape {
  std::int64_t kv_heads = 1, group = 1, head_dim = 64;
  std::int64_t queries = 1;
  Operand cache;
};
Feasible<Mapping> choose_attention_mapping(const AttentionShape& shape, const Chip& chip);

}  // namespace presil
