// A matrix product as ggml computes it: activations are quantised for the format that the weights
// are stored in, blocks are multiplied as integers.
//
// The order is that of the program's tiles (see gemm.h): a tile is summed from zero, block by block
// (block_dot.h) or, for floats, as dot() does; tiles of one core are added in order, then the
// cores' sums. Threads share out rows of weights, so their number changes nothing.
#pragma once

#include <cstdint>
#include <span>

#include "values/prepared_weight.h"
#include "values/product/segments.h"

namespace presil {

/// out[row * stride + n] = input (rows, columns) x weights (n, columns)^T: plain sums. Reads each
/// row of the weights once. Requires tiles of whole blocks, and weights without smoothing.
void ggml_product(const PreparedWeight& weight, KTiling tiling, std::span<const float> input,
                  std::span<float> out, std::int64_t stride);

}  // namespace presil
