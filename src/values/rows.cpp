#include "values/rows.h"

#include <algorithm>
#include <cmath>

namespace presil {

void embed(const RowOfTable& table, std::int64_t first, std::int64_t rows,
           std::span<const int> tokens, std::span<float> out) {
  const std::size_t width = out.size() / tokens.size();
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const std::span<float> to = out.subspan(i * width, width);
    const std::int64_t row = tokens[i] - first;
    if (row < 0 || row >= rows) {
      std::fill(to.begin(), to.end(), 0.0f);
    } else {
      table(row, to);
    }
  }
}

void rmsnorm(const VectorUnit& functions, std::span<const float> in, std::span<const float> weight,
             float eps, std::span<float> out) {
  double squares = 0;
  for (const float x : in) squares += static_cast<double>(x * x);
  const auto mean = static_cast<float>(squares / static_cast<double>(in.size()));
  const float scale = functions.rsqrt(mean + eps);
  for (std::size_t i = 0; i < in.size(); ++i) out[i] = in[i] * scale * weight[i];
}

Rotation::Rotation(std::int64_t position, std::span<const double> frequencies) {
  for (const double frequency : frequencies) {
    const double angle = static_cast<double>(position) * frequency;
    cosines.push_back(static_cast<float>(std::cos(angle)));
    sines.push_back(static_cast<float>(std::sin(angle)));
  }
}

void rotate(std::span<float> head, const Rotation& rotation, RopeLayout layout) {
  const std::size_t pairs = rotation.cosines.size();
  const bool halves = layout == RopeLayout::halves;
  for (std::size_t i = 0; i < pairs; ++i) {
    float& a = head[halves ? i : 2 * i];
    float& b = head[halves ? i + pairs : 2 * i + 1];
    const float turned = a * rotation.cosines[i] - b * rotation.sines[i];
    b = a * rotation.sines[i] + b * rotation.cosines[i];
    a = turned;
  }
}

std::vector<float> load_vector(const WeightView& view) {
  std::vector<float> values(static_cast<std::size_t>(view.columns()));
  view.to_floats(0, view.row(0), values);
  return values;
}

}  // namespace presil
