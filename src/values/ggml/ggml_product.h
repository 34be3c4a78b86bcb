// A whole product as ggml computes it: activations are quantised to the partner of the weights'
// stored format, block dots are integers, and blocks are added in order.
#pragma once

#include <cstdint>
#include <span>

#include "values/prepared_weight.h"
#include "values/product/segments.h"

namespace presil {

/// Element (m, n) of input (m, k) x weight (n, k)^T goes to out[m * stride + n].
void ggml_product(const PreparedWeight& weight, KTiling tiling, std::span<const float> input,
                  std::span<float> out, std::int64_t stride);

}  // namespace presil
