// A program of one operator, as a benchmark calls it: what measured rows are predicted with, by the
// same functions that time a whole model.
#pragma once

#include <string>

#include "base/error.h"
#include "base/numerics.h"
#include "chip/chip.h"
#include "chip/memory_part.h"
#include "program/program.h"

namespace presil {

/// out[T, n] = in[T, k] x weights[n, k]^T, activations handed over in numerics.stream; steps of at
/// most `rows` tokens.
struct GemmOperator {
  std::int64_t rows = 1, n = 1, k = 1;
  Format multiply = Format::bf16;
  Numerics numerics;
};

/// Attention over the cache of every sequence, the new tokens' keys in it; steps of at most
/// `queries` new tokens a sequence and `keys` in all.
struct AttentionOperator {
  std::int64_t heads = 1, kv_heads = 1, head_dim = 128;
  std::int64_t window = 0;
  std::int64_t queries = 1, keys = 1;
  Format multiply = Format::bf16;
  Numerics numerics;
};

/// Infeasible when no tile fits a core. Throws InputError when the chip lacks `multiply`.
Feasible<Program> operator_program(const GemmOperator& gemm, const Chip& chip,
                                   const MemoryPart& part);
Feasible<Program> operator_program(const AttentionOperator& attention, const Chip& chip,
                                   const MemoryPart& part);

}  // namespace presil
