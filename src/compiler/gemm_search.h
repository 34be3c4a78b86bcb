// Which cut of a product is fastest on a chip: branch and bound over a space of cuts.
//
// The space: tiles of m, n and k that the engine takes whole; 1 to 32 cores that share the k range
// of a tile; strips of rows or of columns, which are the loop orders and the partitions of the
// cores; one or two buffers; and narrower tiles in a last wave that would leave cores idle. A cut's
// time is gemm_seconds(). For every (m, n, split) a bound that no cut of it can beat is worked out
// first; they are looked into in the order of their bounds, until the next bound is over the best
// time.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/units.h"
#include "chip/chip.h"
#include "chip/gemm_demand.h"
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
  TileVector vector;                // what the vector engine does on a tile
  bool gated = false;               // half of the outputs are stored
  auto operator<=>(const GemmShape&) const = default;
};

/// What a core's local memory holds of a tile: operands in their buffers, sums in fp32.
struct TileBytes {
  std::int64_t inputs = 0, weights = 0, sums = 0;
  std::int64_t total() const { return inputs + weights + sums; }
};
TileBytes tile_bytes(const GemmShape& shape, const GemmCut& cut);

struct GemmChoice {
  GemmCut cut;
  double seconds = 0;
};

class GemmSearch {
 public:
  /// `chip`'s DRAM moves `dram` bytes a second.
  GemmSearch(const GemmShape& shape, const Chip& chip, BytesPerSecond dram);

  /// The time of a cut in closed form: the slower of fetching and computing, and as much of the
  /// other as the first of their stages takes.
  double seconds(const GemmCut& cut) const;

  /// The fastest cut; nothing when no tile fits a core.
  std::optional<GemmChoice> best() const;
  /// Every cut of the space: what `best` is tested against.
  std::vector<GemmChoice> all() const;

  /// The tile that needs the least local memory.
  GemmCut smallest() const;
  bool fits(const GemmCut& cut) const;

 private:
  struct Branch {
    std::int64_t m, n, split;
    double bound;
  };
  std::vector<Branch> branches() const;
  double bound(std::int64_t m, std::int64_t n, std::int64_t split) const;
  /// Calls `visit` with every cut of (m, n, split) that fits.
  template <class F>
  void each_cut(const Branch& branch, F visit) const;
  std::vector<std::int64_t> k_tiles(std::int64_t split) const;
  double engine_seconds(CoreCycles matrix, std::int64_t flops, std::int64_t exps,
                        std::int64_t fed) const;

  const GemmShape shape_;
  const Chip& chip_;
  const double dram_;  // bytes a second
  GemmOperands operands_;
  std::int64_t output_bytes_ = 0;
  bool input_in_dram_ = false;
  std::int64_t base_k_ = 1;
  double most_stages_ = 1;
};

/// A searched cut as the loop nest of a program, and back.
Mapping mapping_of(const GemmCut& cut, const GemmShape& shape);
GemmCut cut_of(const Mapping& mapping, const GemmShape& shape);

}  // namespace presil
