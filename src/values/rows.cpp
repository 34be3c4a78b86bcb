#include "values/rows.h"

#include <cmath>

#include "values/ggml/block_formats.h"

namespace presil {

void embed(const WeightView& table, std::span<const int> tokens, std::span<float> out) {
  const auto width = static_cast<std::size_t>(table.columns());
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    dequantise(table.format(), table.row(tokens[i]), out.subspan(i * width, width));
  }
}

void rmsnorm(std::span<const float> in, std::span<const float> weight, float eps,
             std::span<float> out) {
  double squares = 0;
  for (const float x : in) squares += static_cast<double>(x * x);
  const auto mean = static_cast<float>(squares / static_cast<double>(in.size()));
  const float scale = 1.0f / std::sqrt(mean + eps);
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
  dequantise(view.format(), view.row(0), values);
  return values;
}

}  // namespace presil
