#include "values/dot.h"

#include <cstddef>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "values/dot.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace presil {
namespace {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

constexpr std::size_t kLanes = 16;
using Floats = hn::CappedTag<float, kLanes>;

float dot_in_lanes(const float* HWY_RESTRICT a, const float* HWY_RESTRICT b, std::size_t count) {
  const Floats f;
  alignas(64) float lanes[kLanes];
  const std::size_t whole = count / kLanes * kLanes;
  for (std::size_t lane = 0; lane < kLanes; lane += hn::Lanes(f)) {
    auto sum = hn::Zero(f);
    for (std::size_t i = lane; i < whole; i += kLanes) {
      sum = hn::Add(sum, hn::Mul(hn::LoadU(f, a + i), hn::LoadU(f, b + i)));
    }
    hn::Store(sum, f, lanes + lane);
  }
  for (std::size_t i = whole; i < count; ++i) lanes[i - whole] += a[i] * b[i];
  for (std::size_t width = kLanes / 2; width > 0; width /= 2) {
    for (std::size_t lane = 0; lane < width; ++lane) lanes[lane] += lanes[lane + width];
  }
  return lanes[0];
}

void add_scaled_in_lanes(float factor, const float* HWY_RESTRICT values, float* HWY_RESTRICT out,
                         std::size_t count) {
  const Floats f;
  const std::size_t step = hn::Lanes(f);
  const auto factors = hn::Set(f, factor);
  std::size_t i = 0;
  for (; i + step <= count; i += step) {
    const auto product = hn::Mul(factors, hn::LoadU(f, values + i));
    hn::StoreU(hn::Add(hn::LoadU(f, out + i), product), f, out + i);
  }
  for (; i < count; ++i) out[i] += factor * values[i];
}

}  // namespace HWY_NAMESPACE
}  // namespace
}  // namespace presil
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace presil {
namespace {

HWY_EXPORT(dot_in_lanes);
HWY_EXPORT(add_scaled_in_lanes);

}  // namespace

float dot(const float* a, const float* b, std::int64_t count) {
  return HWY_DYNAMIC_DISPATCH(dot_in_lanes)(a, b, static_cast<std::size_t>(count));
}

void add_scaled(float factor, const float* values, float* out, std::int64_t count) {
  HWY_DYNAMIC_DISPATCH(add_scaled_in_lanes)(factor, values, out, static_cast<std::size_t>(count));
}

}  // namespace presil
#endif
