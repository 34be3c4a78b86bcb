#include "values/product/kernels.h"

// Arrays of vectors: their length has to be known when compiling.
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "values/product/integer_kernels.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h:
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace presil {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

// Loops over kRows are unrolled as in kernels.cpp.

/// sums[r] = the integer dot of weights with row r of the activations.
template <int kRows>
HWY_INLINE void Dots(const std::int16_t* w, const std::int16_t* a, std::int64_t a_stride,
                     std::int64_t count, std::int32_t* sums) {
  const hn::ScalableTag<std::int16_t> d16;
  const hn::Repartition<std::int32_t, decltype(d16)> d32;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d16));
  hn::Vec<decltype(d32)> even[kRows];
  hn::Vec<decltype(d32)> odd[kRows];
#pragma GCC unroll 4
  for (int r = 0; r < kRows; ++r) even[r] = odd[r] = hn::Zero(d32);
  std::int64_t k = 0;
  for (; k + lanes <= count; k += lanes) {
    const auto weights = hn::LoadU(d16, w + k);
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) {
      even[r] = hn::ReorderWidenMulAccumulate(d32, weights, hn::LoadU(d16, a + r * a_stride + k),
                                              even[r], odd[r]);
    }
  }
#pragma GCC unroll 4
  for (int r = 0; r < kRows; ++r) {
    auto sum =
        static_cast<std::uint32_t>(hn::GetLane(hn::SumOfLanes(d32, hn::Add(even[r], odd[r]))));
    for (std::int64_t i = k; i < count; ++i) {
      sum += static_cast<std::uint32_t>(std::int32_t{w[i]} * a[r * a_stride + i]);
    }
    sums[r] = static_cast<std::int32_t>(sum);
  }
}

template <int kRows>
HWY_INLINE void MultiplyIntegerRows(std::span<const Segment> segments, const CodedRows& activations,
                                    const std::int16_t* whole, std::int64_t row, const Panel& panel,
                                    std::int64_t lane, float* out) {
  const std::int64_t k = activations.columns;
  const std::int64_t a_scales = activations.scales_a_row();
  float total[kRows] = {};
  float core[kRows] = {};
  for (const Segment& s : segments) {
    std::int32_t sums[kRows];
    Dots<kRows>(panel.whole.data() + lane * k + s.begin, whole + row * k + s.begin, k,
                s.end - s.begin, sums);
    const float w_scale =
        panel.scales[static_cast<std::size_t>(s.begin / panel.span * kPanelRows + lane)];
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) {
      const float a_scale =
          activations
              .scales[static_cast<std::size_t>((row + r) * a_scales + s.begin / activations.span)];
      core[r] += static_cast<float>(sums[r]) * (w_scale * a_scale);
      if (s.ends_core) {
        total[r] += core[r];
        core[r] = 0;
      }
    }
  }
#pragma GCC unroll 4
  for (int r = 0; r < kRows; ++r) out[(row + r) * kPanelRows + lane] = total[r];
}

void MultiplyIntegers(std::span<const Segment> segments, const CodedRows& activations,
                      const std::int16_t* whole, const Panel& panel, float* out) {
  for (std::int64_t lane = 0; lane < kPanelRows; ++lane) {
    std::int64_t row = 0;
    for (; row + 4 <= activations.rows; row += 4) {
      MultiplyIntegerRows<4>(segments, activations, whole, row, panel, lane, out);
    }
    for (; row < activations.rows; ++row) {
      MultiplyIntegerRows<1>(segments, activations, whole, row, panel, lane, out);
    }
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace presil
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace presil {
namespace {

HWY_EXPORT(MultiplyIntegers);

}  // namespace

void multiply_integers(std::span<const Segment> segments, const CodedRows& activations,
                       std::span<const std::int16_t> whole, const Panel& panel,
                       std::span<float> out) {
  HWY_DYNAMIC_DISPATCH(MultiplyIntegers)
  (segments, activations, whole.data(), panel, out.data());
}

}  // namespace presil
#endif  // HWY_ONCE
