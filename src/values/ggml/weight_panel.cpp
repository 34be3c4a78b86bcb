#include "values/ggml/weight_panel.h"

#include <cstring>

#include "base/error.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "values/ggml/weight_panel.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace presil::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Words = hn::CappedTag<std::uint32_t, kPanelRows>;
using Ints = hn::Rebind<std::int32_t, Words>;
using Floats = hn::Rebind<float, Words>;
using WordVector = hn::Vec<Words>;

constexpr std::uint32_t kEachByte = 0x01010101;

/// One block of each row, word by word. Formats whose size is no multiple of four bytes keep a half
/// before the words, or q6_K behind them; it goes to a word of its own, the last.
template <Format format>
struct BlockWords {
  static constexpr bool kHasHalf = format == Format::q8_0 || format == Format::q4_0 ||
                                   format == Format::q5_0 || format == Format::q6_K;
  static constexpr int bytes() {
    switch (format) {
      case Format::q8_0:
        return 34;
      case Format::q4_0:
        return 18;
      case Format::q4_1:
        return 20;
      case Format::q5_0:
        return 22;
      case Format::q5_1:
        return 24;
      case Format::q4_K:
        return 144;
      case Format::q5_K:
        return 176;
      default:
        return 210;  // q6_K
    }
  }
  static constexpr int kWords = bytes() / 4;
  static constexpr int kHalfAt = format == Format::q6_K ? 4 * kWords : 0;
  static constexpr int kWordsAt = kHasHalf && format != Format::q6_K ? 2 : 0;

  alignas(64) std::uint32_t words[kWords + 1][kPanelRows];

  void load(const RowParts& rows, std::size_t offset) {
    for (std::size_t row = 0; row < kPanelRows; ++row) {
      const std::byte* from = rows[row] + offset;
      for (int w = 0; w < kWords; ++w) {
        std::memcpy(&words[w][row], from + kWordsAt + 4 * w, sizeof(std::uint32_t));
      }
      if (kHasHalf) {
        std::uint16_t half;
        std::memcpy(&half, from + kHalfAt, sizeof half);
        words[kWords][row] = half;
      }
    }
  }
};

/// The halves in the low 16 bits of `words`, as floats. See from_half.
hn::Vec<Floats> from_halves(WordVector words) {
  const Words d;
  const Floats f;
  const auto shifted = hn::ShiftLeft<16>(words);
  const auto sign = hn::And(shifted, hn::Set(d, 0x80000000u));
  const auto magnitude = hn::Add(shifted, shifted);
  const auto raised = hn::Add(hn::ShiftRight<4>(magnitude), hn::Set(d, 0xE0u << 23));
  const auto normal = hn::Mul(hn::BitCast(f, raised), hn::Set(f, 0x1p-112f));
  const auto below_half = hn::Or(hn::ShiftRight<17>(magnitude), hn::Set(d, 126u << 23));
  const auto subnormal = hn::Sub(hn::BitCast(f, below_half), hn::Set(f, 0.5f));
  // Compared as integers with a sign: magnitudes from 2^31 on, which are normal, look negative.
  const Ints i;
  const auto high = hn::BitCast(i, hn::ShiftRight<1>(magnitude));
  const auto is_small = hn::Lt(high, hn::Set(i, 1 << 26));
  const auto value = hn::IfThenElse(hn::RebindMask(f, is_small), subnormal, normal);
  return hn::Or(value, hn::BitCast(f, sign));
}

/// A block on its way into a panel: `words` are its words' lanes from `lane` on.
template <Format format>
struct Unpacker {
  const BlockWords<format>& block;
  WeightPanel& panel;
  std::size_t index;  // of the block in the panel
  std::size_t lane;

  WordVector word(int w) const { return hn::Load(Words(), &block.words[w][lane]); }

  void put_codes(int place, WordVector codes) const {
    const auto at =
        index * static_cast<std::size_t>(info_elements() / 4) + static_cast<std::size_t>(place);
    hn::Store(codes, Words(), &panel.codes[at][lane]);
  }

  static constexpr int info_elements() {
    return BlockWords<format>::bytes() > 100 ? kLargeBlock : kSmallBlock;
  }

  static WordVector low_nibbles(WordVector w) {
    return hn::And(w, hn::Set(Words(), 15 * kEachByte));
  }
  static WordVector high_nibbles(WordVector w) { return low_nibbles(hn::ShiftRight<4>(w)); }

  /// The bits of each byte that `mask` leaves.
  static WordVector masked(WordVector w, std::uint32_t mask) {
    return hn::And(w, hn::Set(Words(), mask * kEachByte));
  }

  void put_d(WordVector half) const {
    hn::Store(from_halves(half), Floats(), &panel.d[index][lane]);
  }

  /// d in the low half of the first word, m in the high one.
  void put_d_and_m() const {
    put_d(hn::And(word(0), hn::Set(Words(), 0xFFFFu)));
    hn::Store(from_halves(hn::ShiftRight<16>(word(0))), Floats(), &panel.m[index][lane]);
  }

  /// Four words of nibbles: 32 codes.
  void put_nibbles(int first_word) const {
    for (int w = 0; w < 4; ++w) {
      put_codes(w, low_nibbles(word(first_word + w)));
      put_codes(w + 4, high_nibbles(word(first_word + w)));
    }
  }

  /// Bit i of the low four becomes bit 4 of byte i.
  static WordVector spread(WordVector bits) {
    const auto four = hn::And(bits, hn::Set(Words(), 15u));
    const auto copies = hn::Or(hn::Or(four, hn::ShiftLeft<7>(four)),
                               hn::Or(hn::ShiftLeft<14>(four), hn::ShiftLeft<21>(four)));
    return hn::ShiftLeft<4>(masked(copies, 1));
  }

  /// A word with the fifth bits, then four words of nibbles.
  void put_five_bits(int first_word) const {
    const auto high = word(first_word);
    for (int w = 0; w < 4; ++w) {
      const auto nibbles = word(first_word + 1 + w);
      put_codes(w, hn::Or(low_nibbles(nibbles), spread(hn::ShiftRightSame(high, 4 * w))));
      put_codes(w + 4, hn::Or(high_nibbles(nibbles), spread(hn::ShiftRightSame(high, 16 + 4 * w))));
    }
  }

  /// Byte by byte of `four`, each the scale (or the minimum) of 32 elements.
  template <class Table>
  void put_bytes(WordVector four, std::size_t first, Table& table) const {
    for (std::size_t j = 0; j < 4; ++j) {
      const auto byte =
          hn::And(hn::ShiftRightSame(four, static_cast<int>(8 * j)), hn::Set(Words(), 0xFFu));
      hn::Store(hn::BitCast(Ints(), byte), Ints(), &table[first + j][lane]);
    }
  }

  /// The twelve bytes of six-bit scales and minima, four at a time.
  void put_six_bit_scales() const {
    const auto a = word(1), b = word(2), c = word(3);
    const std::size_t first = index * 8;
    put_bytes(masked(a, 63), first, panel.scales);
    put_bytes(masked(b, 63), first, panel.minima);
    put_bytes(hn::Or(low_nibbles(c), masked(hn::ShiftRight<2>(a), 0x30)), first + 4, panel.scales);
    put_bytes(hn::Or(high_nibbles(c), masked(hn::ShiftRight<2>(b), 0x30)), first + 4, panel.minima);
  }

  void unpack() const {
    constexpr int kHalf = BlockWords<format>::kWords;  // where the half is
    if constexpr (format == Format::q8_0) {
      put_d(word(kHalf));
      for (int w = 0; w < 8; ++w) {
        put_codes(w, hn::Xor(word(w), hn::Set(Words(), 0x80 * kEachByte)));
      }
    } else if constexpr (format == Format::q4_0) {
      put_d(word(kHalf));
      put_nibbles(0);
    } else if constexpr (format == Format::q4_1) {
      put_d_and_m();
      put_nibbles(1);
    } else if constexpr (format == Format::q5_0) {
      put_d(word(kHalf));
      put_five_bits(0);
    } else if constexpr (format == Format::q5_1) {
      put_d_and_m();
      put_five_bits(1);
    } else if constexpr (format == Format::q4_K) {
      put_d_and_m();
      put_six_bit_scales();
      for (int w = 0; w < 32; ++w) {
        const int place = w / 8 * 16 + w % 8;
        put_codes(place, low_nibbles(word(4 + w)));
        put_codes(place + 8, high_nibbles(word(4 + w)));
      }
    } else if constexpr (format == Format::q5_K) {
      put_d_and_m();
      put_six_bit_scales();
      for (int w = 0; w < 32; ++w) {
        const int pair = w / 8;
        const auto fifth = hn::ShiftRightSame(word(4 + w % 8), 2 * pair);
        const auto nibbles = word(12 + w);
        const int place = 16 * pair + w % 8;
        put_codes(place, hn::Or(low_nibbles(nibbles), hn::ShiftLeft<4>(masked(fifth, 1))));
        put_codes(place + 8, hn::Or(high_nibbles(nibbles), hn::ShiftLeft<3>(masked(fifth, 2))));
      }
    } else {  // q6_K
      put_d(word(kHalf));
      for (int w = 0; w < 32; ++w) {  // of two halves, each 16 words of nibbles and 8 of upper bits
        const auto upper = word(32 + w / 16 * 8 + w % 8);
        const auto nibbles = word(w);
        const int place = w / 16 * 32 + w % 16;
        const int shift = w % 16 / 8 * 2;
        const auto of_low = masked(hn::ShiftRightSame(upper, shift), 3);
        const auto of_high = masked(hn::ShiftRightSame(upper, shift + 4), 3);
        put_codes(place, hn::Or(low_nibbles(nibbles), hn::ShiftLeft<4>(of_low)));
        put_codes(place + 16, hn::Or(high_nibbles(nibbles), hn::ShiftLeft<4>(of_high)));
      }
      for (int w = 0; w < 4; ++w) {
        for (int j = 0; j < 4; ++j) {
          const auto top = hn::BitCast(Ints(), hn::ShiftLeftSame(word(48 + w), 24 - 8 * j));
          hn::Store(hn::ShiftRight<24>(top), Ints(),
                    &panel.scales[index * 16 + static_cast<std::size_t>(4 * w + j)][lane]);
        }
      }
    }
  }
};

template <Format format>
void unpack_blocks(const RowParts& rows, std::size_t blocks, WeightPanel& panel) {
  BlockWords<format> block;
  for (std::size_t b = 0; b < blocks; ++b) {
    block.load(rows, b * BlockWords<format>::bytes());
    for (std::size_t lane = 0; lane < kPanelRows; lane += hn::Lanes(Words())) {
      Unpacker<format>{block, panel, b, lane}.unpack();
    }
  }
}

void unpack_rows(Format format, const RowParts& rows, std::size_t blocks, WeightPanel& panel) {
  switch (format) {
    case Format::q8_0:
      return unpack_blocks<Format::q8_0>(rows, blocks, panel);
    case Format::q4_0:
      return unpack_blocks<Format::q4_0>(rows, blocks, panel);
    case Format::q4_1:
      return unpack_blocks<Format::q4_1>(rows, blocks, panel);
    case Format::q5_0:
      return unpack_blocks<Format::q5_0>(rows, blocks, panel);
    case Format::q5_1:
      return unpack_blocks<Format::q5_1>(rows, blocks, panel);
    case Format::q4_K:
      return unpack_blocks<Format::q4_K>(rows, blocks, panel);
    case Format::q5_K:
      return unpack_blocks<Format::q5_K>(rows, blocks, panel);
    case Format::q6_K:
      return unpack_blocks<Format::q6_K>(rows, blocks, panel);
    default:
      throw InternalError("a format without blocks of weights is unpacked");
  }
}

}  // namespace presil::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace presil {
namespace {

HWY_EXPORT(unpack_rows);

}  // namespace

int zero_point(Format format) {
  switch (format) {
    case Format::q8_0:
      return 128;
    case Format::q4_0:
      return 8;
    case Format::q5_0:
      return 16;
    case Format::q6_K:
      return 32;
    default:
      return 0;
  }
}

void unpack_panel(Format format, const RowParts& rows, std::int64_t blocks, WeightPanel& panel) {
  CHECK(blocks * info(format).block_elements <= kPanelColumns, "the blocks fit into a panel");
  HWY_DYNAMIC_DISPATCH(unpack_rows)(format, rows, static_cast<std::size_t>(blocks), panel);
}

}  // namespace presil
#endif
