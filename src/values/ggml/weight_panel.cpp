#include "values/ggml/weight_panel.h"

#include "base/error.h"

// Vectors of a length known when compiling: unpacker-inl.h puts halves together.
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "values/ggml/weight_panel.cpp"
#include <hwy/cache_control.h>
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// Once for each target:
#include "values/ggml/unpacker-inl.h"

HWY_BEFORE_NAMESPACE();
namespace presil {
namespace {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

constexpr std::size_t kLine = 64;  // of a cache, in bytes

template <int pair>
HWY_INLINE void unpack_pair_of_q5_K(const BlockUnpacker& block, std::size_t place,
                                    const FourWords& fifth, std::size_t at) {
  const FourWords nibbles = block.words(at);
  block.put_codes(place, with_upper_bits<2 * pair>(low_nibbles(nibbles), fifth, 1));
  block.put_codes(place + 8, with_upper_bits<2 * pair + 1>(high_nibbles(nibbles), fifth, 1));
}

/// Sixteen bytes of nibbles and of upper bits of a half of q6_K; `part` 0 or 1: which of its four
/// parts of 32 elements the low nibbles are of, the high ones being 64 elements later.
template <int part>
HWY_INLINE void unpack_part_of_q6_K(const BlockUnpacker& block, std::size_t place,
                                    const FourWords& upper, std::size_t at) {
  const FourWords nibbles = block.words(at);
  block.put_codes(place, with_upper_bits<2 * part>(low_nibbles(nibbles), upper, 3));
  block.put_codes(place + 16, with_upper_bits<2 * part + 4>(high_nibbles(nibbles), upper, 3));
}

/// The layouts are those of block_formats.cpp; `index` is the block's place in the panel.
template <Format format>
HWY_INLINE void unpack_block(const BlockUnpacker& block, std::size_t index) {
  constexpr std::size_t kWords =
      (format == Format::q4_K || format == Format::q5_K || format == Format::q6_K ? kLargeBlock
                                                                                  : kSmallBlock) /
      4;
  const std::size_t place = index * kWords;
  const auto low_half = [](WordVector w) { return hn::And(w, hn::Set(Words(), 0xFFFFu)); };
  if constexpr (format == Format::q8_0) {
    block.put_d(index, low_half(block.words(0).w0));
    for (std::size_t part = 0; part < 2; ++part) {
      const FourWords codes = block.words(2 + 16 * part);
      const auto flip = hn::Set(Words(), 0x80 * kEachByte);  // adds 128
      block.put_codes(place + 4 * part, {hn::Xor(codes.w0, flip), hn::Xor(codes.w1, flip),
                                         hn::Xor(codes.w2, flip), hn::Xor(codes.w3, flip)});
    }
  } else if constexpr (format == Format::q4_0 || format == Format::q4_1) {
    if (format == Format::q4_0) block.put_d(index, low_half(block.words(0).w0));
    if (format == Format::q4_1) block.put_d_and_m(index, block.words(0).w0);
    const FourWords nibbles = block.words(format == Format::q4_0 ? 2 : 4);
    block.put_codes(place, low_nibbles(nibbles));
    block.put_codes(place + 4, high_nibbles(nibbles));
  } else if constexpr (format == Format::q5_0 || format == Format::q5_1) {
    const FourWords head = block.words(0);
    if (format == Format::q5_0) block.put_d(index, low_half(head.w0));
    if (format == Format::q5_1) block.put_d_and_m(index, head.w0);
    const WordVector fifth = format == Format::q5_1
                                 ? head.w1
                                 : hn::Or(hn::ShiftRight<16>(head.w0), hn::ShiftLeft<16>(head.w1));
    const FourWords nibbles = block.words(format == Format::q5_0 ? 6 : 8);
    block.put_codes(place, with_fifth_bits(low_nibbles(nibbles), fifth));
    block.put_codes(place + 4, with_fifth_bits(high_nibbles(nibbles), hn::ShiftRight<16>(fifth)));
  } else if constexpr (format == Format::q4_K) {
    block.put_large_head(index);
    for (std::size_t part = 0; part < 8; ++part) {  // sixteen bytes of nibbles each
      const FourWords nibbles = block.words(16 + 16 * part);
      const std::size_t at = place + part / 2 * 16 + part % 2 * 4;
      block.put_codes(at, low_nibbles(nibbles));
      block.put_codes(at + 8, high_nibbles(nibbles));
    }
  } else if constexpr (format == Format::q5_K) {
    block.put_large_head(index);
    for (std::size_t half = 0; half < 2; ++half) {  // of each 32 elements
      const FourWords fifth = block.words(16 + 16 * half);
      const std::size_t at = place + 4 * half, from = 48 + 16 * half;
      unpack_pair_of_q5_K<0>(block, at, fifth, from);
      unpack_pair_of_q5_K<1>(block, at + 16, fifth, from + 32);
      unpack_pair_of_q5_K<2>(block, at + 32, fifth, from + 64);
      unpack_pair_of_q5_K<3>(block, at + 48, fifth, from + 96);
    }
  } else {
    static_assert(format == Format::q6_K);
    block.put_d(index, hn::ShiftRight<16>(block.words(194).w3));
    for (std::size_t i = 0; i < 4; ++i) {  // each half of 128 elements, sixteen of its 32 columns
      const std::size_t half = i / 2, column = i % 2;
      const FourWords upper = block.words(128 + 32 * half + 16 * column);
      const std::size_t at = place + 32 * half + 4 * column;
      const std::size_t from = 64 * half + 16 * column;
      unpack_part_of_q6_K<0>(block, at, upper, from);
      unpack_part_of_q6_K<1>(block, at + 8, upper, from + 32);
    }
    const FourWords scales = block.words(192);
    block.put_signed_scales(scales.w0, index * 16);
    block.put_signed_scales(scales.w1, index * 16 + 4);
    block.put_signed_scales(scales.w2, index * 16 + 8);
    block.put_signed_scales(scales.w3, index * 16 + 12);
  }
}

template <Format format>
void unpack_blocks(const RowParts& rows, std::size_t blocks, const std::byte* ahead,
                   WeightPanel& panel) {
  const auto bytes = static_cast<std::size_t>(info(format).block_bytes);
  for (std::size_t b = 0; b < blocks; ++b) {
    for (std::size_t i = 0; ahead != nullptr && i < kPanelRows * bytes; i += kLine) {
      hwy::Prefetch(ahead + b * kPanelRows * bytes + i);
    }
    for (std::size_t lane = 0; lane < kPanelRows; lane += hn::Lanes(Words())) {
      unpack_block<format>(BlockUnpacker(rows, b * bytes, lane, panel), b);
    }
  }
}

void unpack_rows(Format format, const RowParts& rows, std::size_t blocks, const std::byte* ahead,
                 WeightPanel& panel) {
  switch (format) {
    case Format::q8_0:
      return unpack_blocks<Format::q8_0>(rows, blocks, ahead, panel);
    case Format::q4_0:
      return unpack_blocks<Format::q4_0>(rows, blocks, ahead, panel);
    case Format::q4_1:
      return unpack_blocks<Format::q4_1>(rows, blocks, ahead, panel);
    case Format::q5_0:
      return unpack_blocks<Format::q5_0>(rows, blocks, ahead, panel);
    case Format::q5_1:
      return unpack_blocks<Format::q5_1>(rows, blocks, ahead, panel);
    case Format::q4_K:
      return unpack_blocks<Format::q4_K>(rows, blocks, ahead, panel);
    case Format::q5_K:
      return unpack_blocks<Format::q5_K>(rows, blocks, ahead, panel);
    case Format::q6_K:
      return unpack_blocks<Format::q6_K>(rows, blocks, ahead, panel);
    default:
      throw InternalError("a format without blocks of weights is unpacked");
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace
}  // namespace presil
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

void unpack_panel(Format format, const RowParts& rows, std::int64_t blocks, const std::byte* ahead,
                  WeightPanel& panel) {
  CHECK(blocks * info(format).block_elements <= kPanelColumns, "the blocks fit into a panel");
  HWY_DYNAMIC_DISPATCH(unpack_rows)(format, rows, static_cast<std::size_t>(blocks), ahead, panel);
}

}  // namespace presil
#endif
