// Closed forms: how many cycles a core's engine takes for one tile. The compiler ranks tilings with
// them and `cycles` charges them, so the two cannot disagree.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "base/clock.h"
#include "chip/chip.h"

namespace presil {

/// `cycles` rounded up, and cut to 10^15: longer than anything that is ever run.
CoreCycles whole_cycles(double cycles);

/// Cycles of the matrix engine's clock for an m x n x k tile in `format`. Requires that the engine
/// has the format.
///
/// Output-stationary: every dimension is padded to the instruction's. Weight-stationary: each k x n
/// block of weights streams m rows (at macs_per_cycle) and needs preload_cycles to be put in place,
/// beside the stream of the block before or after it. Both are the steady state; fill and drain of
/// the pipeline overlap the neighbouring tile.
CoreCycles matrix_cycles(const MatrixEngine& engine, std::int64_t m, std::int64_t n, std::int64_t k,
                         Format format);

/// Cycles of the vector engine's clock for `flops` fp32 operations and `exps` exponentials.
CoreCycles vector_cycles(const VectorEngine& engine, std::int64_t flops, std::int64_t exps);

Hertz matrix_clock(const Core& core);
Hertz vector_clock(const Core& core);

/// The first of `wanted` that the engine multiplies, or nothing.
std::optional<Format> first_supported(const MatrixEngine& engine, std::span<const Format> wanted);

}  // namespace presil
