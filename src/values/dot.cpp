#include "values/dot.h"

#include "values/vector_clones.h"

namespace presil {

PRESIL_VECTOR_CLONES
float dot(const float* a, const float* b, std::int64_t count) {
  constexpr int kLanes = 16;
  float lanes[kLanes] = {};
  std::int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (int lane = 0; lane < kLanes; ++lane) lanes[lane] += a[i + lane] * b[i + lane];
  }
  for (int lane = 0; i < count; ++i, ++lane) lanes[lane] += a[i] * b[i];
  for (int width = kLanes / 2; width > 0; width /= 2) {
    for (int lane = 0; lane < width; ++lane) lanes[lane] += lanes[lane + width];
  }
  return lanes[0];
}

PRESIL_VECTOR_CLONES
void add_scaled(float factor, const float* __restrict__ values, float* __restrict__ out,
                std::int64_t count) {
  constexpr int kLanes = 16;
  std::int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (int lane = 0; lane < kLanes; ++lane) out[i + lane] += factor * values[i + lane];
  }
  for (; i < count; ++i) out[i] += factor * values[i];
}

PRESIL_VECTOR_CLONES
float block_dot(const BlockRow& weights, const BlockRow& activations, std::int64_t blocks) {
  constexpr int kBlockElements = 32;
  const std::int16_t* w = weights.quants;
  const std::int16_t* a = activations.quants;
  float sum = 0;
  for (std::int64_t b = 0; b < blocks; ++b, w += kBlockElements, a += kBlockElements) {
    int products = 0;
    for (int i = 0; i < kBlockElements; ++i) products += w[i] * a[i];
    sum += weights.scales[b] * activations.scales[b] * static_cast<float>(products) +
           weights.offsets[b] * activations.offsets[b];
  }
  return sum;
}

}  // namespace presil
