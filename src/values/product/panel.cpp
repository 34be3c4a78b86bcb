#include "values/product/panel.h"

// The targets of kernels.cpp.
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "values/product/panel.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h:
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace presil {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

void TransposeRows(const float* from, std::int64_t columns, std::int64_t stride, float* to) {
  std::int64_t k = 0;
#if HWY_TARGET != HWY_SCALAR
  const hn::FixedTag<float, 4> f;
  const hn::FixedTag<std::uint64_t, 2> pairs;
  for (; k + 4 <= columns; k += 4) {
    for (std::int64_t row = 0; row < kPanelRows; row += 4) {  // 4 x 4 at a time
      const float* in = from + row * stride + k;
      const auto a = hn::LoadU(f, in);
      const auto b = hn::LoadU(f, in + stride);
      const auto c = hn::LoadU(f, in + 2 * stride);
      const auto d = hn::LoadU(f, in + 3 * stride);
      const auto ab_low = hn::BitCast(pairs, hn::InterleaveLower(f, a, b));   // a0 b0 a1 b1
      const auto ab_high = hn::BitCast(pairs, hn::InterleaveUpper(f, a, b));  // a2 b2 a3 b3
      const auto cd_low = hn::BitCast(pairs, hn::InterleaveLower(f, c, d));
      const auto cd_high = hn::BitCast(pairs, hn::InterleaveUpper(f, c, d));
      float* out = to + k * kPanelRows + row;
      hn::StoreU(hn::BitCast(f, hn::InterleaveLower(pairs, ab_low, cd_low)), f, out);
      hn::StoreU(hn::BitCast(f, hn::InterleaveUpper(pairs, ab_low, cd_low)), f, out + kPanelRows);
      hn::StoreU(hn::BitCast(f, hn::InterleaveLower(pairs, ab_high, cd_high)), f,
                 out + 2 * kPanelRows);
      hn::StoreU(hn::BitCast(f, hn::InterleaveUpper(pairs, ab_high, cd_high)), f,
                 out + 3 * kPanelRows);
    }
  }
#endif
  for (; k < columns; ++k) {
    for (std::int64_t r = 0; r < kPanelRows; ++r) to[k * kPanelRows + r] = from[r * stride + k];
  }
}

void ToIntegers(const float* codes, std::size_t count, std::int16_t* out) {
  const hn::ScalableTag<float> f;
  const hn::RebindToSigned<decltype(f)> d32;
  const hn::Rebind<std::int16_t, decltype(f)> d16;
  std::size_t i = 0;
  for (; i + hn::Lanes(f) <= count; i += hn::Lanes(f)) {
    hn::StoreU(hn::DemoteTo(d16, hn::ConvertTo(d32, hn::LoadU(f, codes + i))), d16, out + i);
  }
  for (; i < count; ++i) out[i] = static_cast<std::int16_t>(codes[i]);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace presil
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace presil {
namespace {

HWY_EXPORT(TransposeRows);
HWY_EXPORT(ToIntegers);

}  // namespace

void transpose_rows(const float* from, std::int64_t columns, std::int64_t stride, float* to) {
  HWY_DYNAMIC_DISPATCH(TransposeRows)(from, columns, stride, to);
}

void to_integers(std::span<const float> codes, std::span<std::int16_t> out) {
  HWY_DYNAMIC_DISPATCH(ToIntegers)(codes.data(), codes.size(), out.data());
}

}  // namespace presil
#endif  // HWY_ONCE
