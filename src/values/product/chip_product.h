// A whole product in a chip's own arithmetic: panel after panel, weights are read, turned into
// codes and multiplied, with nothing of the matrix kept.
#pragma once

#include <cstdint>
#include <span>

#include "base/numerics.h"
#include "values/prepared_weight.h"
#include "values/product/coded_rows.h"
#include "values/product/segments.h"

namespace presil {

/// Element (m, n) of activations (m, k) x weight (n, k)^T goes to out[m * stride + n]. Reads each
/// row of the weight once. Threads share out panels, so their number changes nothing.
void chip_product(const ProductNumerics& numerics, KTiling tiling, const CodedRows& activations,
                  const PreparedWeight& weight, std::span<float> out, std::int64_t stride);

}  // namespace presil
