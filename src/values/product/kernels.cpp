#include "values/product/kernels.h"

#include <algorithm>

// Arrays of vectors: their length has to be known when compiling.
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "values/product/kernels.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h:
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace presil {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::CappedTag<float, kPanelRows>;
using V = hn::Vec<Floats>;

// Loops over kRows are unrolled by name: g++ -O2 keeps small arrays in registers only so.

/// Some rows of activations against the lanes of one vector of weights.
template <int kRows>
struct Block {
  const float* w;  // (k, kPanelRows)
  const float* a;  // (kRows, a_stride)
  std::int64_t a_stride;
};

template <int kRows>
struct Sums {
  V of[kRows];
  HWY_INLINE Sums() {}  // an implicit one would be compiled for the baseline
};

template <int kRows>
HWY_INLINE Sums<kRows> Zeros() {
  Sums<kRows> sums;
#pragma GCC unroll 4
  for (V& v : sums.of) v = hn::Zero(Floats());
  return sums;
}

template <int kRows>
HWY_INLINE Sums<kRows> Products(const Block<kRows>& b, std::int64_t k) {
  const Floats f;
  const V w = hn::LoadU(f, b.w + k * kPanelRows);
  Sums<kRows> products;
#pragma GCC unroll 4
  for (int r = 0; r < kRows; ++r) {
    products.of[r] = hn::Mul(w, hn::Set(f, b.a[r * b.a_stride + k]));
  }
  return products;
}

template <int kRows>
HWY_INLINE Sums<kRows> Add(Sums<kRows> a, const Sums<kRows>& b) {
#pragma GCC unroll 4
  for (int r = 0; r < kRows; ++r) a.of[r] = hn::Add(a.of[r], b.of[r]);
  return a;
}

template <int kRows>
HWY_INLINE Sums<kRows> SumInOrder(const Block<kRows>& b, const Segment& s) {
  Sums<kRows> sum = Zeros<kRows>();
  for (std::int64_t k = s.begin; k < s.end; ++k) sum = Add(sum, Products(b, k));
  return sum;
}

/// The tree over the products k, k + stride, ... (kCount of them). Halves that are added first lie
/// count / 2 apart, so the tree over all is that over the even ones plus that over the odd ones.
template <int kCount, int kRows>
HWY_INLINE Sums<kRows> Tree(const Block<kRows>& b, std::int64_t k, std::int64_t stride) {
  if constexpr (kCount == 1) {
    return Products(b, k);
  } else {
    return Add(Tree<kCount / 2>(b, k, 2 * stride), Tree<kCount / 2>(b, k + stride, 2 * stride));
  }
}

/// The same for any power of two, and with zeros instead of the products from `end` on.
template <int kRows>
Sums<kRows> AnyTree(const Block<kRows>& b, std::int64_t k, std::int64_t stride, std::int64_t count,
                    std::int64_t end) {
  if (k >= end) return Zeros<kRows>();
  if (count == 1) return Products(b, k);
  if (count == 16 && k + 15 * stride < end) return Tree<16>(b, k, stride);
  return Add(AnyTree(b, k, 2 * stride, count / 2, end),
             AnyTree(b, k + stride, 2 * stride, count / 2, end));
}

template <int kRows>
HWY_INLINE Sums<kRows> SumOfTrees(const Block<kRows>& b, const Segment& s, std::int64_t group) {
  Sums<kRows> sum = Zeros<kRows>();
  std::int64_t k = s.begin;
  if (group == 16) {
    for (; k + 16 <= s.end; k += 16) sum = Add(sum, Tree<16>(b, k, 1));
  } else if (group == 32) {
    for (; k + 32 <= s.end; k += 32) sum = Add(sum, Tree<32>(b, k, 1));
  }
  for (; k < s.end; k += group) sum = Add(sum, AnyTree(b, k, 1, group, s.end));
  return sum;
}

HWY_INLINE V Cut(V x, Accumulator::Rounding rounding) {
  return rounding == Accumulator::Rounding::truncate ? hn::Trunc(x) : hn::Round(x);
}

template <int kRows>
HWY_INLINE Sums<kRows> SumAligned(const Block<kRows>& b, const Segment& s,
                                  const Accumulator& accumulator, Accumulator::Rounding rounding) {
  const Floats f;
  const hn::RebindToSigned<Floats> i;
  const auto bits = hn::Set(i, static_cast<std::int32_t>(accumulator.bits));
  Sums<kRows> sum = Zeros<kRows>();
  for (std::int64_t begin = s.begin; begin < s.end; begin += accumulator.group) {
    const std::int64_t end = std::min(begin + accumulator.group, s.end);
    Sums<kRows> largest;
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) largest.of[r] = hn::Abs(sum.of[r]);
    for (std::int64_t k = begin; k < end; ++k) {
      const Sums<kRows> p = Products(b, k);
#pragma GCC unroll 4
      for (int r = 0; r < kRows; ++r) {
        largest.of[r] = hn::Max(largest.of[r], hn::Abs(p.of[r]));
      }
    }
    // 1 / quantum and quantum, from the exponent field e: 2^(bits - 1 - e) and 2^(e - bits + 1),
    // where the quantum is at least 2^-126.
    Sums<kRows> inverse;
    Sums<kRows> quantum;
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) {
      const auto e = hn::ShiftRight<23>(hn::BitCast(i, largest.of[r]));
      const auto above = hn::Sub(hn::Max(e, bits), bits);
      inverse.of[r] = hn::BitCast(f, hn::ShiftLeft<23>(hn::Sub(hn::Set(i, 253), above)));
      quantum.of[r] = hn::BitCast(f, hn::ShiftLeft<23>(hn::Add(above, hn::Set(i, 1))));
      sum.of[r] = Cut(hn::Mul(sum.of[r], inverse.of[r]), rounding);
    }
    for (std::int64_t k = begin; k < end; ++k) {
      const Sums<kRows> p = Products(b, k);
#pragma GCC unroll 4
      for (int r = 0; r < kRows; ++r) {
        sum.of[r] = hn::Add(sum.of[r], Cut(hn::Mul(p.of[r], inverse.of[r]), rounding));
      }
    }
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) sum.of[r] = hn::Mul(sum.of[r], quantum.of[r]);
  }
  return sum;
}

template <int kRows>
HWY_INLINE Sums<kRows> Sum(const Accumulator& accumulator, const Block<kRows>& b,
                           const Segment& s) {
  using Rounding = Accumulator::Rounding;
  if (accumulator.kind == Accumulator::Kind::aligned) {
    return accumulator.rounding == Rounding::truncate
               ? SumAligned(b, s, accumulator, Rounding::truncate)
               : SumAligned(b, s, accumulator, Rounding::nearest);
  }
  if (accumulator.order == Accumulator::Order::sequential) return SumInOrder(b, s);
  return SumOfTrees(b, s, accumulator.group);
}

/// Outputs of the activations' rows from `row` on, in the lanes from `lane` on.
template <int kRows>
HWY_INLINE void MultiplyRows(const Accumulator& accumulator, std::span<const Segment> segments,
                             const CodedRows& activations, std::int64_t row, const Panel& panel,
                             std::int64_t lane, float* out) {
  const Floats f;
  const Block<kRows> block{panel.codes.data() + lane,
                           activations.codes.data() + row * activations.columns,
                           activations.columns};
  const std::int64_t a_scales = activations.scales_a_row();
  const float* scales = activations.scales.data() + row * a_scales;
  Sums<kRows> total = Zeros<kRows>();
  Sums<kRows> core = Zeros<kRows>();
  for (const Segment& s : segments) {
    const Sums<kRows> sum = Sum(accumulator, block, s);
    const V w_scale = hn::LoadU(f, panel.scales.data() + s.begin / panel.span * kPanelRows + lane);
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) {
      const V a_scale = hn::Set(f, scales[r * a_scales + s.begin / activations.span]);
      core.of[r] = hn::Add(core.of[r], hn::Mul(sum.of[r], hn::Mul(w_scale, a_scale)));
    }
    if (s.ends_core) {
      total = Add(total, core);
      core = Zeros<kRows>();
    }
  }
#pragma GCC unroll 4
  for (int r = 0; r < kRows; ++r) {
    hn::StoreU(total.of[r], f, out + (row + r) * kPanelRows + lane);
  }
}

void MultiplyPanel(const Accumulator& accumulator, std::span<const Segment> segments,
                   const CodedRows& activations, const Panel& panel, float* out) {
  constexpr std::int64_t lanes = static_cast<std::int64_t>(hn::MaxLanes(Floats()));
  for (std::int64_t lane = 0; lane < kPanelRows; lane += lanes) {
    std::int64_t row = 0;
    for (; row + 4 <= activations.rows; row += 4) {
      MultiplyRows<4>(accumulator, segments, activations, row, panel, lane, out);
    }
    for (; row < activations.rows; ++row) {
      MultiplyRows<1>(accumulator, segments, activations, row, panel, lane, out);
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

HWY_EXPORT(MultiplyPanel);

}  // namespace

void multiply_panel(const Accumulator& accumulator, std::span<const Segment> segments,
                    const CodedRows& activations, const Panel& panel, std::span<float> out) {
  HWY_DYNAMIC_DISPATCH(MultiplyPanel)(accumulator, segments, activations, panel, out.data());
}

}  // namespace presil
#endif  // HWY_ONCE
