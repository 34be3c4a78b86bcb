// Matrix products, in the order of the program's tiles.
//
// Every output element is summed the same way, whoever computes it: the k axis is cut into the
// mapping's tiles; a tile is one dot product (see dot.h for the order inside); tiles are added in
// order to an fp32 accumulator. With split_k the tiles are dealt to that many cores in runs, and
// the cores' sums are added in order. Threads share out rows of the weights, so their number
// changes nothing.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "program/program.h"
#include "values/prepared_weight.h"

namespace presil {

/// How k is cut. Tiles of a quantised product are whole blocks.
struct KTiling {
  std::int64_t tile = 0;  // 0: the whole axis
  std::int64_t split = 1;
};

/// out (m, n) = epilogue(input (m, k) x weights (n, k)^T), all row-major. Weights stand side by
/// side along n; Epilogue::add adds to what `out` holds; Epilogue::swiglu takes {gate, up} and
/// gives silu(input x gate^T) * (input x up^T).
void gemm(const ProductNumerics& numerics, KTiling tiling, Epilogue epilogue,
          std::span<const float> input, std::span<const PreparedWeight> weights,
          std::span<float> out);

}  // namespace presil
