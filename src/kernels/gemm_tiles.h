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
  bool chosen = false;                   // the library chooses, and not always the best
};

/// mma.sync has fixed sides of powers of two; wgmma and tcgen05 have one side that is free in
/// steps of 8 and 16. Operands may be swapped, so either side may be the tokens'.
GemmTiles gemm_tiles(GemmKernel kernel, std::string_view generation, std::int64_t m);

}  // namespace presil::kernels
