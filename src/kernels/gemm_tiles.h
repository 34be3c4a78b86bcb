// The tiles that libraries have, by kernel and generation of matrix engines.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "kernels/gemm_law.h"

namespace presil::kernels {

struct GemmTiles {
  std::span<const GemmTile> tiles;       // of split 1
  std::span<const std::int64_t> splits;  // ascending, from 1
  double cluster = 1;                    // cores that take neighbouring tiles along m together
  double across = 1;                     // cores along n that share one copy of the rows of tokens
  double least_rows = 1;                 // a tile of fewer rows of tokens takes as long
  bool chosen = false;                   // the library chooses, and not always the best
};

/// mma.sync has fixed sides of powers of two; wgmma and tcgen05 have one side that is free in
/// steps of 8 and 16. Operands may be swapped, so either side may be the tokens'.
GemmTiles gemm_tiles(const GemmCall& call, std::string_view generation);

/// The one tile that DeepGEMM takes, up to 128 x 128 or, `tall`, up to 256 x 128 and 128 x 192: the
/// fewest waves, then the fullest last one (its source, deepseek-ai/DeepGEMM on GitHub).
GemmTile tile_by_waves(bool tall, std::int64_t m, std::int64_t n, std::int64_t cores);

/// Tall tiles in a single wave multiply several times slower. Measured of SGLang on H100 with tiles
/// of 24,576 sums and more, full ones on at least four of five cores; the reason is not known.
bool stalls(const GemmTile& tile, std::int64_t m, std::int64_t n, std::int64_t cores);

}  // namespace presil::kernels
