// What vector engines do, row by row: embedding, norm, rotation.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "model/weights.h"
#include "values/vector_functions.h"
#include "values/weight_view.h"

namespace presil {

/// A row of a chip's embedding table as the numbers it stands for.
using RowOfTable = std::function<void(std::int64_t row, std::span<float> out)>;

/// out (tokens, d) = rows of a table which holds `rows` of the vocabulary from token `first` on;
/// the row of a token outside it is 0.
void embed(const RowOfTable& table, std::int64_t first, std::int64_t rows,
           std::span<const int> tokens, std::span<float> out);

/// out = in / sqrt(mean(in^2) + eps) * weight, for one row; in and out may be the same. The mean is
/// taken in double, as ggml does.
void rmsnorm(const VectorUnit& functions, std::span<const float> in, std::span<const float> weight,
             float eps, std::span<float> out);

/// The rotation of every pair of dimensions at one position.
struct Rotation {
  std::vector<float> cosines, sines;  // (head_dim / 2)

  /// Pair i turns by position * frequencies[i] radians.
  Rotation(std::int64_t position, std::span<const double> frequencies);
};

/// Rotates one head, which has head_dim elements.
void rotate(std::span<float> head, const Rotation& rotation, RopeLayout layout);

/// The whole of a vector (a norm's weight, a bias) as floats.
std::vector<float> load_vector(const WeightView& view);

}  // namespace presil
