// What a product is, in plain words: one element at a time, slowly. The kernels have to give the
// same bits; a test holds them to it.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/numerics.h"
#include "values/product/coded_rows.h"
#include "values/product/segments.h"

namespace presil {

/// The sum over one segment of the products of codes, as the accumulator says.
float plain_sum(const Accumulator& accumulator, std::span<const float> a, std::span<const float> b);

/// out (m, n) = activations (m, k) x weights (n, k)^T.
std::vector<float> plain_product(const Accumulator& accumulator, KTiling tiling,
                                 const CodedRows& activations, const CodedRows& weights);

}  // namespace presil
