#include "values/dot.h"

#include <cstddef>

// Arrays of vectors: their length has to be known when compiling.
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128)
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

/// Lane j to lane j + 8, 4, 2, 1.
HWY_INLINE float sum_of_tree(float* lanes) {
  const hn::CappedTag<float, 4> f;
  for (const std::size_t width : {kLanes / 2, kLanes / 4}) {
    for (std::size_t lane = 0; lane < width; lane += hn::Lanes(f)) {
      hn::Store(hn::Add(hn::Load(f, lanes + lane), hn::Load(f, lanes + lane + width)), f,
                lanes + lane);
    }
  }
  return (lanes[0] + lanes[2]) + (lanes[1] + lanes[3]);
}

/// kRows dot products, so that their additions need not wait for each other.
template <int kRows>
HWY_INLINE void dot_rows(const float* HWY_RESTRICT a, const float* HWY_RESTRICT rows,
                         std::size_t stride, std::size_t count, float* HWY_RESTRICT out) {
  const Floats f;
  alignas(64) float lanes[kRows][kLanes];
  const std::size_t whole = count / kLanes * kLanes;
  for (std::size_t lane = 0; lane < kLanes; lane += hn::Lanes(f)) {
    hn::Vec<Floats> sums[kRows];
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) sums[r] = hn::Zero(f);
    for (std::size_t i = lane; i < whole; i += kLanes) {
      const auto factors = hn::LoadU(f, a + i);
#pragma GCC unroll 4
      for (int r = 0; r < kRows; ++r) {
        const auto values = hn::LoadU(f, rows + static_cast<std::size_t>(r) * stride + i);
        sums[r] = hn::Add(sums[r], hn::Mul(factors, values));
      }
    }
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) hn::Store(sums[r], f, lanes[r] + lane);
  }
#pragma GCC unroll 4
  for (int r = 0; r < kRows; ++r) {
    const float* row = rows + static_cast<std::size_t>(r) * stride;
    for (std::size_t i = whole; i < count; ++i) lanes[r][i - whole] += a[i] * row[i];
    out[r] = sum_of_tree(lanes[r]);
  }
}

void dots_in_lanes(const float* a, const float* rows, std::size_t stride, std::size_t count,
                   float* out, std::size_t n_rows) {
  std::size_t r = 0;
  for (; r + 4 <= n_rows; r += 4) dot_rows<4>(a, rows + r * stride, stride, count, out + r);
  for (; r < n_rows; ++r) dot_rows<1>(a, rows + r * stride, stride, count, out + r);
}

/// kVectors vectors of the result, which stay in registers meanwhile.
template <int kVectors>
HWY_INLINE void add_scaled_rows(std::span<const float> factors, const float* HWY_RESTRICT rows,
                                std::size_t stride, float* HWY_RESTRICT out) {
  const Floats f;
  const std::size_t step = hn::Lanes(f);
  hn::Vec<Floats> sums[kVectors];
#pragma GCC unroll 4
  for (std::size_t v = 0; v < kVectors; ++v) sums[v] = hn::LoadU(f, out + v * step);
  for (const float factor : factors) {
    const auto by = hn::Set(f, factor);
#pragma GCC unroll 4
    for (std::size_t v = 0; v < kVectors; ++v) {
      sums[v] = hn::Add(sums[v], hn::Mul(by, hn::LoadU(f, rows + v * step)));
    }
    rows += stride;
  }
#pragma GCC unroll 4
  for (std::size_t v = 0; v < kVectors; ++v) hn::StoreU(sums[v], f, out + v * step);
}

void add_scaled_in_lanes(std::span<const float> factors, const float* rows, std::size_t stride,
                         float* out, std::size_t count) {
  const std::size_t step = hn::Lanes(Floats());
  std::size_t i = 0;
  for (; i + 4 * step <= count; i += 4 * step) {
    add_scaled_rows<4>(factors, rows + i, stride, out + i);
  }
  for (; i + step <= count; i += step) add_scaled_rows<1>(factors, rows + i, stride, out + i);
  for (; i < count; ++i) {
    for (std::size_t r = 0; r < factors.size(); ++r) out[i] += factors[r] * rows[r * stride + i];
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace
}  // namespace presil
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace presil {
namespace {

HWY_EXPORT(dots_in_lanes);
HWY_EXPORT(add_scaled_in_lanes);

}  // namespace

float dot(const float* a, const float* b, std::int64_t count) {
  float sum;
  dots(a, b, 0, count, {&sum, 1});
  return sum;
}

void dots(const float* a, const float* rows, std::int64_t stride, std::int64_t count,
          std::span<float> out) {
  HWY_DYNAMIC_DISPATCH(dots_in_lanes)
  (a, rows, static_cast<std::size_t>(stride), static_cast<std::size_t>(count), out.data(),
   out.size());
}

void add_scaled(std::span<const float> factors, const float* rows, std::int64_t stride,
                std::span<float> out) {
  HWY_DYNAMIC_DISPATCH(add_scaled_in_lanes)
  (factors, rows, static_cast<std::size_t>(stride), out.data(), out.size());
}

}  // namespace presil
#endif
