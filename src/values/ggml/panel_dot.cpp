#include "values/ggml/panel_dot.h"

#include <cstring>

#define HWY_WANT_AVX3_DL
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "values/ggml/panel_dot.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace presil {
namespace {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Ints = hn::CappedTag<std::int32_t, kPanelRows>;
using Words = hn::Rebind<std::uint32_t, Ints>;
using Floats = hn::Rebind<float, Ints>;
using IntVector = hn::Vec<Ints>;

/// sum + the four products of each lane: bytes of `w` without a sign, of `a` with one. Exact.
HWY_INLINE IntVector add_four_products(IntVector sum, hn::Vec<Words> w, hn::Vec<Words> a) {
#if HWY_TARGET == HWY_AVX3_DL
  // As text, because Highway 1.0.3 enables avxvnni for this target, not the avx512vnni it tests
  // for.
  __asm__("vpdpbusd %2, %1, %0" : "+v"(sum.raw) : "v"(w.raw), "v"(a.raw));
  return sum;
#elif HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_SSE4 || \
    HWY_TARGET == HWY_SSSE3
  // Bytes 0 and 2 of a lane, then 1 and 3, as pairs of 16 bits; x86 adds the products of a pair.
  const hn::Repartition<std::int16_t, Ints> shorts;
  const hn::Repartition<std::uint16_t, Ints> unsigned_shorts;
  const auto a16 = hn::BitCast(shorts, a);
  const auto a_even = hn::ShiftRight<8>(hn::ShiftLeft<8>(a16));
  const auto a_odd = hn::ShiftRight<8>(a16);
  const auto w_even = hn::BitCast(shorts, hn::And(w, hn::Set(Words(), 0x00FF00FFu)));
  const auto w_odd = hn::BitCast(shorts, hn::ShiftRight<8>(hn::BitCast(unsigned_shorts, w)));
  auto unused = sum;
  sum = hn::ReorderWidenMulAccumulate(Ints(), w_even, a_even, sum, unused);
  return hn::ReorderWidenMulAccumulate(Ints(), w_odd, a_odd, sum, unused);
#else
  const auto add_one = [&](int byte) {
    const auto code = hn::And(hn::ShiftRightSame(w, 8 * byte), hn::Set(Words(), 0xFFu));
    const auto top = hn::BitCast(Ints(), hn::ShiftLeftSame(a, 24 - 8 * byte));
    sum = hn::Add(sum, hn::Mul(hn::BitCast(Ints(), code), hn::ShiftRight<24>(top)));
  };
  for (int byte = 0; byte < 4; ++byte) add_one(byte);
  return sum;
#endif
}

/// The exact dot products of `words` words of codes, from `at` on, with as many of activations.
template <std::size_t words>
HWY_INLINE IntVector dot_codes(const WeightPanel& panel, std::size_t at, std::size_t lane,
                               const std::int8_t* activations, IntVector start) {
  IntVector sum = start;
  for (std::size_t w = 0; w < words; ++w) {
    std::uint32_t four;
    std::memcpy(&four, activations + 4 * w, sizeof four);
    sum = add_four_products(sum, hn::Load(Words(), &panel.codes[at + w][lane]),
                            hn::Set(Words(), four));
  }
  return sum;
}

/// d_w * d_a * products, as block_dot has it.
HWY_INLINE hn::Vec<Floats> scaled(const OfRows<float>& of_rows, std::size_t lane, float factor,
                                  IntVector products) {
  const Floats f;
  const auto scale = hn::Mul(hn::Load(f, &of_rows[lane]), hn::Set(f, factor));
  return hn::Mul(scale, hn::ConvertTo(f, products));
}

template <bool has_zero, bool has_minimum>
void dot_small(const WeightPanel& panel, std::size_t blocks, int zero, const QuantisedRow& a,
               OfRows<float>& sums) {
  constexpr std::size_t kWords = kSmallBlock / 4;
  const Floats f;
  for (std::size_t lane = 0; lane < kPanelRows; lane += hn::Lanes(f)) {
    auto sum = hn::Load(f, &sums[lane]);
    for (std::size_t b = 0; b < blocks; ++b) {
      const std::int32_t codes_sum = a.group_sums[2 * b] + a.group_sums[2 * b + 1];
      const auto start = has_zero ? hn::Set(Ints(), -zero * codes_sum) : hn::Zero(Ints());
      const auto products =
          dot_codes<kWords>(panel, b * kWords, lane, a.codes + b * kSmallBlock, start);
      auto block = scaled(panel.d[b], lane, a.scales[b], products);
      if (has_minimum) {
        block = hn::Add(block, hn::Mul(hn::Load(f, &panel.m[b][lane]), hn::Set(f, a.sums[b])));
      }
      sum = hn::Add(sum, block);
    }
    hn::Store(sum, f, &sums[lane]);
  }
}

/// Groups of `group` elements have a scale of their own, and with has_minimum a minimum.
template <std::size_t group, bool has_minimum>
void dot_large(const WeightPanel& panel, std::size_t blocks, int zero, const QuantisedRow& a,
               OfRows<float>& sums) {
  constexpr std::size_t kGroups = kLargeBlock / group;
  constexpr std::size_t kSums = group / kGroup;  // group sums of the activations to a group
  const Floats f;
  for (std::size_t lane = 0; lane < kPanelRows; lane += hn::Lanes(f)) {
    auto sum = hn::Load(f, &sums[lane]);
    for (std::size_t b = 0; b < blocks; ++b) {
      auto products = hn::Zero(Ints());
      auto minima = hn::Zero(Ints());
      for (std::size_t g = b * kGroups; g < (b + 1) * kGroups; ++g) {
        std::int32_t codes_sum = 0;
        for (std::size_t s = 0; s < kSums; ++s) codes_sum += a.group_sums[g * kSums + s];
        const auto start = has_minimum ? hn::Zero(Ints()) : hn::Set(Ints(), -zero * codes_sum);
        const auto of_group =
            dot_codes<group / 4>(panel, g * group / 4, lane, a.codes + g * group, start);
        products = hn::Add(products, hn::Mul(of_group, hn::Load(Ints(), &panel.scales[g][lane])));
        if (has_minimum) {
          minima = hn::Add(minima, hn::Mul(hn::Set(Ints(), codes_sum),
                                           hn::Load(Ints(), &panel.minima[g][lane])));
        }
      }
      auto block = scaled(panel.d[b], lane, a.scales[b], products);
      if (has_minimum) block = hn::Sub(block, scaled(panel.m[b], lane, a.scales[b], minima));
      sum = hn::Add(sum, block);
    }
    hn::Store(sum, f, &sums[lane]);
  }
}

void dot_panel(Format format, const WeightPanel& panel, std::size_t blocks, const QuantisedRow& a,
               OfRows<float>& sums) {
  const int zero = zero_point(format);
  switch (format) {
    case Format::q4_1:
    case Format::q5_1:
      return dot_small<false, true>(panel, blocks, zero, a, sums);
    case Format::q4_K:
    case Format::q5_K:
      return dot_large<32, true>(panel, blocks, zero, a, sums);
    case Format::q6_K:
      return dot_large<16, false>(panel, blocks, zero, a, sums);
    default:  // q8_0, q4_0, q5_0
      return dot_small<true, false>(panel, blocks, zero, a, sums);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace
}  // namespace presil
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace presil {
namespace {

HWY_EXPORT(dot_panel);

}  // namespace

void panel_dot(Format format, const WeightPanel& panel, std::int64_t blocks,
               QuantisedRow activations, OfRows<float>& sums) {
  HWY_DYNAMIC_DISPATCH(dot_panel)
  (format, panel, static_cast<std::size_t>(blocks), activations, sums);
}

}  // namespace presil
#endif
