// One block of as many rows as a vector has lanes, on its way into a panel: words of the rows'
// bytes, nibbles and single bits taken out of them, halves, scales, and where all that goes.
//
// Included by weight_panel.cpp once for each instruction set, which is what the guard is for.
#include <cstring>

#include <hwy/highway.h>

#include "values/ggml/weight_panel.h"

#if defined(PRESIL_UNPACKER_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef PRESIL_UNPACKER_INL_H
#undef PRESIL_UNPACKER_INL_H
#else
#define PRESIL_UNPACKER_INL_H
#endif

HWY_BEFORE_NAMESPACE();
namespace presil {
namespace {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Words = hn::CappedTag<std::uint32_t, kPanelRows>;
using Ints = hn::Rebind<std::int32_t, Words>;
using Floats = hn::Rebind<float, Words>;
using WordVector = hn::Vec<Words>;

constexpr std::uint32_t kEachByte = 0x01010101;

/// The bits of each byte that `mask` leaves.
HWY_INLINE WordVector masked(WordVector w, std::uint32_t mask) {
  return hn::And(w, hn::Set(Words(), mask * kEachByte));
}

HWY_INLINE WordVector low_nibbles(WordVector w) {
  return masked(w, 15);
}

HWY_INLINE WordVector high_nibbles(WordVector w) {
  return masked(hn::ShiftRight<4>(w), 15);
}

/// Bit i of the lowest four becomes bit 4 of byte i.
HWY_INLINE WordVector spread(WordVector bits) {
  const auto four = hn::And(bits, hn::Set(Words(), 15u));
  const auto copies = hn::Or(hn::Or(four, hn::ShiftLeft<7>(four)),
                             hn::Or(hn::ShiftLeft<14>(four), hn::ShiftLeft<21>(four)));
  return hn::ShiftLeft<4>(masked(copies, 1));
}

/// The halves in the low 16 bits, as floats. See from_half.
HWY_INLINE hn::Vec<Floats> from_halves(WordVector words) {
  const Words d;
  const Ints i;
  const Floats f;
  const auto shifted = hn::ShiftLeft<16>(words);
  const auto sign = hn::And(shifted, hn::Set(d, 0x80000000u));
  const auto magnitude = hn::Add(shifted, shifted);
  const auto raised = hn::Add(hn::ShiftRight<4>(magnitude), hn::Set(d, 0xE0u << 23));
  const auto normal = hn::Mul(hn::BitCast(f, raised), hn::Set(f, 0x1p-112f));
  const auto below_half = hn::Or(hn::ShiftRight<17>(magnitude), hn::Set(d, 126u << 23));
  const auto subnormal = hn::Sub(hn::BitCast(f, below_half), hn::Set(f, 0.5f));
  const auto halved = hn::BitCast(i, hn::ShiftRight<1>(magnitude));  // compares with a sign
  const auto is_subnormal = hn::Lt(halved, hn::Set(i, 1 << 26));
  const auto value = hn::IfThenElse(hn::RebindMask(f, is_subnormal), subnormal, normal);
  return hn::Or(value, hn::BitCast(f, sign));
}

/// Sixteen bytes of each row: four words, with a lane for each row.
struct FourWords {
  WordVector w0, w1, w2, w3;
};

#if HWY_TARGET == HWY_SCALAR

HWY_INLINE FourWords load_words(const std::byte* const* rows, std::size_t offset) {
  std::uint32_t words[4];
  std::memcpy(words, rows[0] + offset, sizeof words);
  const Words d;
  return {hn::Set(d, words[0]), hn::Set(d, words[1]), hn::Set(d, words[2]), hn::Set(d, words[3])};
}

#else

/// Sixteen bytes of rows[0], rows[4] and so on, side by side.
template <class D>
HWY_INLINE hn::Vec<D> load_fourths(D d, const std::byte* const* rows, std::size_t offset) {
  if constexpr (hn::MaxLanes(D()) == 4) {
    return hn::LoadU(d, reinterpret_cast<const std::uint32_t*>(rows[0] + offset));
  } else {
    const hn::Half<D> half;
    return hn::Combine(d, load_fourths(half, rows + hn::MaxLanes(D()) / 2, offset),
                       load_fourths(half, rows, offset));
  }
}

/// Turns rows into lanes: of each four rows, their 4 x 4 words change places.
HWY_INLINE FourWords load_words(const std::byte* const* rows, std::size_t offset) {
  const Words d;
  const hn::Repartition<std::uint64_t, Words> pairs;
  const auto a = load_fourths(d, rows, offset);
  const auto b = load_fourths(d, rows + 1, offset);
  const auto c = load_fourths(d, rows + 2, offset);
  const auto e = load_fourths(d, rows + 3, offset);
  const auto ab_low = hn::BitCast(pairs, hn::InterleaveLower(d, a, b));
  const auto ab_high = hn::BitCast(pairs, hn::InterleaveUpper(d, a, b));
  const auto ce_low = hn::BitCast(pairs, hn::InterleaveLower(d, c, e));
  const auto ce_high = hn::BitCast(pairs, hn::InterleaveUpper(d, c, e));
  return {hn::BitCast(d, hn::InterleaveLower(pairs, ab_low, ce_low)),
          hn::BitCast(d, hn::InterleaveUpper(pairs, ab_low, ce_low)),
          hn::BitCast(d, hn::InterleaveLower(pairs, ab_high, ce_high)),
          hn::BitCast(d, hn::InterleaveUpper(pairs, ab_high, ce_high))};
}

#endif

class BlockUnpacker {
 public:
  BlockUnpacker(const RowParts& rows, std::size_t offset, std::size_t lane, WeightPanel& panel)
      : rows_(rows.data() + lane), offset_(offset), lane_(lane), panel_(panel) {}

  HWY_INLINE FourWords words(std::size_t at) const { return load_words(rows_, offset_ + at); }

  HWY_INLINE void put_d(std::size_t block, WordVector half) const {
    hn::Store(from_halves(half), Floats(), &panel_.d[block][lane_]);
  }

  /// d in the low half, m in the high one.
  HWY_INLINE void put_d_and_m(std::size_t block, WordVector halves) const {
    put_d(block, hn::And(halves, hn::Set(Words(), 0xFFFFu)));
    hn::Store(from_halves(hn::ShiftRight<16>(halves)), Floats(), &panel_.m[block][lane_]);
  }

  HWY_INLINE void put_codes(std::size_t place, WordVector codes) const {
    hn::Store(codes, Words(), &panel_.codes[place][lane_]);
  }

  HWY_INLINE void put_codes(std::size_t place, const FourWords& codes) const {
    put_codes(place, codes.w0);
    put_codes(place + 1, codes.w1);
    put_codes(place + 2, codes.w2);
    put_codes(place + 3, codes.w3);
  }

  /// The bytes of `four`, each the scale or the minimum of a group, from group `first` on.
  template <class Table>
  HWY_INLINE void put_bytes(WordVector four, Table& table, std::size_t first) const {
    const auto put = [&](std::size_t group, WordVector byte) {
      hn::Store(hn::BitCast(Ints(), byte), Ints(), &table[group][lane_]);
    };
    const auto low_byte = hn::Set(Words(), 0xFFu);
    put(first, hn::And(four, low_byte));
    put(first + 1, hn::And(hn::ShiftRight<8>(four), low_byte));
    put(first + 2, hn::And(hn::ShiftRight<16>(four), low_byte));
    put(first + 3, hn::ShiftRight<24>(four));
  }

  /// The head of q4_K and q5_K, see read_six_bit_scales in block_formats.cpp.
  HWY_INLINE void put_large_head(std::size_t block) const {
    const FourWords head = words(0);
    const WordVector a = head.w1, b = head.w2, c = head.w3;
    const std::size_t first = block * 8;
    put_d_and_m(block, head.w0);
    put_bytes(masked(a, 63), panel_.scales, first);
    put_bytes(masked(b, 63), panel_.minima, first);
    put_bytes(hn::Or(low_nibbles(c), masked(hn::ShiftRight<2>(a), 0x30)), panel_.scales, first + 4);
    put_bytes(hn::Or(high_nibbles(c), masked(hn::ShiftRight<2>(b), 0x30)), panel_.minima,
              first + 4);
  }

  /// Four bytes with a sign, each the scale of a group.
  HWY_INLINE void put_signed_scales(WordVector four, std::size_t first) const {
    const auto put = [&](std::size_t group, WordVector top) {
      const auto scale = hn::ShiftRight<24>(hn::BitCast(Ints(), top));
      hn::Store(scale, Ints(), &panel_.scales[group][lane_]);
    };
    put(first, hn::ShiftLeft<24>(four));
    put(first + 1, hn::ShiftLeft<16>(four));
    put(first + 2, hn::ShiftLeft<8>(four));
    put(first + 3, four);
  }

 private:
  const std::byte* const* rows_;
  std::size_t offset_;
  std::size_t lane_;
  WeightPanel& panel_;
};

HWY_INLINE FourWords low_nibbles(const FourWords& w) {
  return {low_nibbles(w.w0), low_nibbles(w.w1), low_nibbles(w.w2), low_nibbles(w.w3)};
}

HWY_INLINE FourWords high_nibbles(const FourWords& w) {
  return {high_nibbles(w.w0), high_nibbles(w.w1), high_nibbles(w.w2), high_nibbles(w.w3)};
}

/// nibbles | the bits of `upper` that `mask` leaves after a shift to the right, raised by four.
template <int shift>
HWY_INLINE FourWords with_upper_bits(const FourWords& nibbles, const FourWords& upper,
                                     std::uint32_t mask) {
  const auto join = [&](WordVector low, WordVector high) {
    return hn::Or(low, hn::ShiftLeft<4>(masked(hn::ShiftRight<shift>(high), mask)));
  };
  return {join(nibbles.w0, upper.w0), join(nibbles.w1, upper.w1), join(nibbles.w2, upper.w2),
          join(nibbles.w3, upper.w3)};
}

/// nibbles | their fifth bits: bit 4 w + i of `bits` is that of byte i of word w.
HWY_INLINE FourWords with_fifth_bits(const FourWords& nibbles, WordVector bits) {
  return {hn::Or(nibbles.w0, spread(bits)), hn::Or(nibbles.w1, spread(hn::ShiftRight<4>(bits))),
          hn::Or(nibbles.w2, spread(hn::ShiftRight<8>(bits))),
          hn::Or(nibbles.w3, spread(hn::ShiftRight<12>(bits)))};
}

}  // namespace HWY_NAMESPACE
}  // namespace
}  // namespace presil
HWY_AFTER_NAMESPACE();

#endif
