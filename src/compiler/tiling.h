// Choosing tiles: which loop nest runs an operator on this chip.
//
// The candidates are few and their cost is a closed form, so the search is exhaustive. Every
// candidate's operand tiles fit a core's local memory twice, for double buffering.
#pragma once

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
};

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
  Format cache = Format::bf16;
};
Feasible<Mapping> choose_attention_mapping(const AttentionShape& shape, const Chip& chip);

}  // namespace presil
