#include "values/gemm.h"

#include <optional>
#include <vector>

#include "base/error.h"
#include "values/ggml/ggml_product.h"
#include "values/number/codes.h"
#include "values/product/chip_product.h"

namespace presil {
namespace {

/// out (m, all n) = input x weights^T, side by side.
void multiply(const ProductNumerics& numerics, KTiling tiling, std::span<const float> input,
              std::span<const PreparedWeight> weights, std::span<float> out) {
  const std::int64_t k = weights.front().view().columns();
  const std::int64_t stride = std::ssize(out) / (std::ssize(input) / k);
  std::optional<CodedRows> activations;
  if (numerics.activations) {
    activations = code_activations(*numerics.activations, numerics.overflow, input, k);
  }
  for (const PreparedWeight& weight : weights) {
    if (activations) {
      chip_product(numerics, tiling, *activations, weight, out, stride);
    } else {
      ggml_product(weight, tiling, input, out, stride);
    }
    out = out.subspan(static_cast<std::size_t>(weight.view().rows()));
  }
}

/// out = silu(gate) * up, of sums (m, {gate, up}).
void gate(const VectorUnit& functions, std::span<const float> sums, std::size_t width,
          std::span<float> out) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    const float* row = sums.data() + i / width * 2 * width;
    out[i] = functions.silu(row[i % width]) * row[width + i % width];
  }
}

}  // namespace

void gemm(const ProductNumerics& numerics, const StoreOptions& store, KTiling tiling,
          Epilogue epilogue, std::span<const float> input, std::span<const PreparedWeight> weights,
          std::span<float> out) {
  switch (epilogue) {
    case Epilogue::none:
      multiply(numerics, tiling, input, weights, out);
      break;
    case Epilogue::add: {
      std::vector<float> sums(out.size());
      multiply(numerics, tiling, input, weights, sums);
      for (std::size_t i = 0; i < out.size(); ++i) out[i] += sums[i];
      break;
    }
    case Epilogue::swiglu: {
      std::vector<float> sums(2 * out.size());
      multiply(numerics, tiling, input, weights, sums);
      const auto width = static_cast<std::size_t>(weights.front().view().rows());
      gate(store.functions != nullptr ? *store.functions : VectorUnit(), sums, width, out);
      break;
    }
    case Epilogue::gelu:
      throw InternalError("a speech encoder has no values");
  }
  round_all(store.stream, Overflow::infinite, out);
}

}  // namespace presil
