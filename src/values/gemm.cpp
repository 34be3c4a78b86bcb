#include "values/gemm.h"

#include <algorithm>
#include <cmath>

#include <tbb/blocked_range.h>
#include <tbb/parallel_for.h>

#include "base/integers.h"
#include "values/dot.h"
#include "values/ggml/ggml_product.h"
#include "values/rounding.h"

namespace presil {
namespace {

// Rows of weights that a task takes apart together: an activation row is then read from cache once
// for all of them.
constexpr std::int64_t kRowsATask = 16;
constexpr std::size_t kResultsATask = 1024;

float tiled_dot(const float* w, const float* a, std::int64_t columns, KTiling tiling) {
  const std::int64_t tile = tiling.tile > 0 ? tiling.tile : columns;
  const std::int64_t tiles = ceil_div(columns, tile);
  const std::int64_t run = ceil_div(tiles, tiling.split);
  float total = 0;
  for (std::int64_t first = 0; first < tiles; first += run) {
    float sum = 0;
    for (std::int64_t t = first; t < std::min(first + run, tiles); ++t) {
      sum += dot(w + t * tile, a + t * tile, std::min(tile, columns - t * tile));
    }
    total += sum;
  }
  return total;
}

/// out (rows, n) = input x weights^T, both operands rounded to `format`.
void float_product(Format format, const WeightView& weights, KTiling tiling,
                   std::span<const float> input, std::span<float> out) {
  const std::int64_t k = weights.columns();
  const std::int64_t n = weights.rows();
  std::vector<float> rounded(input.begin(), input.end());
  round_to(format, rounded);
  tbb::parallel_for(tbb::blocked_range<std::int64_t>(0, n, kRowsATask),
                    [&](const tbb::blocked_range<std::int64_t>& part) {
                      std::vector<float> row(static_cast<std::size_t>(k));
                      for (std::int64_t r = part.begin(); r < part.end(); ++r) {
                        weights.to_floats(r, weights.row(r), row);
                        round_to(format, row);
                        for (std::int64_t m = 0; m * k < std::ssize(rounded); ++m) {
                          out[static_cast<std::size_t>(m * n + r)] =
                              tiled_dot(row.data(), rounded.data() + m * k, k, tiling);
                        }
                      }
                    });
}

float silu(float x) {
  return x / (1.0f + std::exp(-x));
}

}  // namespace

void gemm(const ProductNumerics& numerics, KTiling tiling, Epilogue epilogue,
          std::span<const float> input, std::span<const PreparedWeight> weights,
          std::span<float> out) {
  const auto k = static_cast<std::size_t>(weights.front().view().columns());
  const std::size_t rows = input.size() / k;
  const std::size_t stride = out.size() / rows;
  std::size_t column = 0;  // of `out`, where the present weight begins
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const WeightView& w = weights[i].view();
    const auto n = static_cast<std::size_t>(w.rows());
    std::vector<float> product(rows * n);
    if (numerics.activations) {
      float_product(numerics.activations->format, w, tiling, input, product);
    } else {
      ggml_product(weights[i], tiling, input, product, w.rows());
    }
    const bool is_up = epilogue == Epilogue::swiglu && i == 1;
    if (is_up) column = 0;
    tbb::parallel_for(tbb::blocked_range<std::size_t>(0, product.size(), kResultsATask),
                      [&](const tbb::blocked_range<std::size_t>& part) {
                        for (std::size_t j = part.begin(); j < part.end(); ++j) {
                          float& at = out[j / n * stride + column + j % n];
                          if (epilogue == Epilogue::add) {
                            at += product[j];
                          } else if (is_up) {
                            at = silu(at) * product[j];
                          } else {
                            at = product[j];
                          }
                        }
                      });
    column += n;
  }
}

}  // namespace presil
