// Matrix products, in the order of the program's tiles and in the arithmetic of its numerics.
//
// Every output element is summed the same way, whoever computes it: see product/segments.h for how
// k is cut and product/plain_product.h for what is added in which order. Threads share out rows of
// the weights, so their number changes nothing.
#pragma once

#include <span>

#include "program/program.h"
#include "values/prepared_weight.h"
#include "values/product/segments.h"
#include "values/vector_functions.h"

namespace presil {

/// What happens between a sum and the memory it goes to.
struct StoreOptions {
  Format stream = Format::fp32;  // results are rounded to it; beyond its largest is infinite
  const VectorUnit* functions = nullptr;  // for silu; nothing: exact
};

/// out (m, n) = epilogue(input (m, k) x weights (n, k)^T), all row-major. Weights stand side by
/// side along n; Epilogue::add adds to what `out` holds; Epilogue::swiglu takes {gate, up} and
/// gives silu(input x gate^T) * (input x up^T). What is stored is rounded once, at the end.
void gemm(const ProductNumerics& numerics, const StoreOptions& store, KTiling tiling,
          Epilogue epilogue, std::span<const float> input, std::span<const PreparedWeight> weights,
          std::span<float> out);

}  // namespace presil
