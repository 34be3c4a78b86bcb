// A product cut into tiles, and what the cut asks of each resource of a chip, in closed form. The
// compiler ranks mappings by it and `cycles` charges it, so the two cannot disagree.
//
// Tiles are handed to the cores in waves. Which tiles meet in one wave is said by strips: a strip
// of `strip` rows of tiles is gone through column by column before the next one starts (or the
// other way round), and a wave takes the next tiles of that order. One strip of everything is the
// plain loop order; strips of one tile are the other order; what lies between shares operands among
// the cores of a wave as a grid of cores does.
#pragma once

#include <cstdint>

#include "base/clock.h"
#include "base/number_format.h"
#include "base/numerics.h"
#include "chip/chip.h"

namespace presil {

/// fp32 operations of the vector engine for a tile of m x n outputs over k.
struct TileVector {
  std::int64_t per_output = 0, exps_per_output_pair = 0;
  std::int64_t per_segment = 0;  // of an output: sums over `segment` elements of k are scaled
  std::int64_t segment = 0;      // 0: the whole of k
  std::int64_t per_input = 0, per_weight = 0;  // of an element: quantised, dequantised

  std::int64_t flops(std::int64_t m, std::int64_t n, std::int64_t k) const;
  std::int64_t exps(std::int64_t m, std::int64_t n) const;
  auto operator<=>(const TileVector&) const = default;
};

/// What happens to a finished tile before it is stored.
enum class Finish { store, add, gate, gelu };

/// Of a product in `numerics` whose weights lie as `weights` and are multiplied in `multiply`.
TileVector tile_vector(const ProductNumerics& numerics, Format weights, Format multiply,
                       Finish finish);

/// out[m, n] = in[m, k] x weights[n, k]^T, with the bytes of its operands; `groups` of such, each
/// with weights of its own and with m rows at most.
struct GemmOperands {
  std::int64_t m = 1, n = 1, k = 1;
  std::int64_t input_bytes = 0, weight_bytes = 0;  // of all groups, with their scales
  Format multiply = Format::bf16;
  TileVector vector;
  std::int64_t groups = 1;
};

struct GemmCut {
  std::int64_t m = 1, n = 1, k = 1;  // the tile
  std::int64_t split = 1;            // cores that share the k range of one tile
  bool strips_of_rows = true;
  std::int64_t strip = 0;   // rows (or columns) of tiles in a strip; 0: all of them
  std::int64_t last_n = 0;  // tiles of a last wave that leaves cores idle are cut to it; 0: are not
  bool overlapped = true;   // two buffers an operand: one is filled while the other is used
};

struct GemmDemand {
  std::int64_t waves = 1, k_steps = 1;
  std::int64_t active_cores = 1;
  double busy_share = 1;  // of all cores, over the waves
  // Of the busiest core.
  CoreCycles matrix;
  std::int64_t vector_flops = 0, exps = 0;
  std::int64_t fed_bytes = 0;  // operands read from local memory
  // Of all cores.
  std::int64_t all_fed_bytes = 0;
  std::int64_t carried_bytes = 0;  // operands into cores, every copy
  std::int64_t unique_bytes = 0;   // operands out of shared memory, once for the cores of a wave
  std::int64_t partial_sums = 0;   // that travel to another core and are added
  std::int64_t weight_passes = 1;  // how often DRAM gives the weights
  std::int64_t input_passes = 1;   // and the inputs, where they lie there
};

/// Requires tiles of at least one element.
GemmDemand gemm_demand(const GemmOperands& operands, const GemmCut& cut, const Chip& chip);

/// The k range of one core of a split: whole tiles.
std::int64_t k_range_of(const GemmCut& cut, std::int64_t k);

/// What of shared memory keeps data for reuse.
Bytes usable_shared_memory(const Chip& chip);

}  // namespace presil
