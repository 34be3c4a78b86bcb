#include "values/ggml/block_formats.h"

#include <bit>
#include <cstring>

#include "base/error.h"
#include "values/number/number.h"
#include "values/number/rounding.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "values/ggml/block_formats.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

// The loops are plain; they are compiled for every target. Fixed lengths and no overlapping
// operands are what g++ -O2 asks before it uses vectors.
HWY_BEFORE_NAMESPACE();
namespace presil {
namespace {
namespace HWY_NAMESPACE {

float half_at(const std::uint8_t* bytes) {
  std::uint16_t bits;
  std::memcpy(&bits, bytes, sizeof bits);
  return from_half(bits);
}

/// The nibbles of `count` bytes: the low ones, then the high ones.
template <int count>
void read_nibbles(const std::uint8_t* __restrict__ bytes, std::int8_t* __restrict__ codes) {
  for (int j = 0; j < count; ++j) codes[j] = static_cast<std::int8_t>(bytes[j] & 15);
  for (int j = 0; j < count; ++j) codes[count + j] = static_cast<std::int8_t>(bytes[j] >> 4);
}

void subtract(int zero, int count, std::int8_t* codes) {
  for (int j = 0; j < count; ++j) codes[j] = static_cast<std::int8_t>(codes[j] - zero);
}

void set_small(float d, float m, bool has_minimum, UnpackedBlock& block) {
  block.d = d;
  block.m = m;
  for (std::size_t g = 0; g < kSmallBlock / kGroup; ++g) {
    block.scales[g] = 1;
    block.minima[g] = has_minimum ? -1 : 0;
  }
}

void unpack_q8_0(const std::uint8_t* bytes, UnpackedBlock& block) {
  set_small(half_at(bytes), 0, false, block);
  std::memcpy(block.codes.data(), bytes + 2, kSmallBlock);
}

void unpack_q4_0(const std::uint8_t* bytes, UnpackedBlock& block) {
  set_small(half_at(bytes), 0, false, block);
  read_nibbles<16>(bytes + 2, block.codes.data());
  subtract(8, kSmallBlock, block.codes.data());
}

void unpack_q4_1(const std::uint8_t* bytes, UnpackedBlock& block) {
  set_small(half_at(bytes), half_at(bytes + 2), true, block);
  read_nibbles<16>(bytes + 4, block.codes.data());
}

/// Nibbles as above, and the fifth bit of element j in bit j of the word before them.
void read_five_bits(const std::uint8_t* bytes, std::int8_t* codes) {
  std::uint32_t high;
  std::memcpy(&high, bytes, sizeof high);
  read_nibbles<16>(bytes + 4, codes);
  for (int j = 0; j < kSmallBlock; ++j) {
    codes[j] = static_cast<std::int8_t>(codes[j] | (high >> j & 1u) << 4);
  }
}

void unpack_q5_0(const std::uint8_t* bytes, UnpackedBlock& block) {
  set_small(half_at(bytes), 0, false, block);
  read_five_bits(bytes + 2, block.codes.data());
  subtract(16, kSmallBlock, block.codes.data());
}

void unpack_q5_1(const std::uint8_t* bytes, UnpackedBlock& block) {
  set_small(half_at(bytes), half_at(bytes + 2), true, block);
  read_five_bits(bytes + 4, block.codes.data());
}

/// The head of q4_K and q5_K: d, m, and in 12 bytes eight scales and eight minima of 6 bits, each
/// for 32 elements. The first four lie whole in the low bits; of the others the upper two bits are
/// the upper two of those bytes.
void read_six_bit_scales(const std::uint8_t* bytes, UnpackedBlock& block) {
  block.d = half_at(bytes);
  block.m = half_at(bytes + 2);
  const std::uint8_t* b = bytes + 4;
  for (std::size_t j = 0; j < 8; ++j) {
    const int scale = j < 4 ? b[j] & 63 : (b[j + 4] & 15) | (b[j - 4] >> 6) << 4;
    const int minimum = j < 4 ? b[j + 4] & 63 : b[j + 4] >> 4 | (b[j] >> 6) << 4;
    block.scales[2 * j] = block.scales[2 * j + 1] = static_cast<std::int16_t>(scale);
    block.minima[2 * j] = block.minima[2 * j + 1] = static_cast<std::int16_t>(minimum);
  }
}

void unpack_q4_K(const std::uint8_t* bytes, UnpackedBlock& block) {
  read_six_bit_scales(bytes, block);
  for (int pair = 0; pair < 4; ++pair) {
    read_nibbles<32>(bytes + 16 + 32 * pair, block.codes.data() + 64 * pair);
  }
}

void unpack_q5_K(const std::uint8_t* bytes, UnpackedBlock& block) {
  read_six_bit_scales(bytes, block);
  const std::uint8_t* __restrict__ high = bytes + 16;
  for (int part = 0; part < 8; ++part) {
    std::int8_t* __restrict__ codes = block.codes.data() + 32 * part;
    if (part % 2 == 0) read_nibbles<32>(bytes + 48 + 16 * part, codes);
    for (int j = 0; j < 32; ++j) {
      codes[j] = static_cast<std::int8_t>(codes[j] | (high[j] >> part & 1) << 4);
    }
  }
}

void unpack_q6_K(const std::uint8_t* bytes, UnpackedBlock& block) {
  block.d = half_at(bytes + 208);
  block.m = 0;
  for (std::size_t g = 0; g < block.scales.size(); ++g) {
    block.scales[g] = static_cast<std::int8_t>(bytes[192 + g]);
    block.minima[g] = 0;
  }
  for (int half = 0; half < 2; ++half) {
    const std::uint8_t* __restrict__ low = bytes + 64 * half;
    const std::uint8_t* __restrict__ high = bytes + 128 + 32 * half;
    std::int8_t* __restrict__ codes = block.codes.data() + 128 * half;
    read_nibbles<64>(low, codes);
    for (int part = 0; part < 4; ++part) {
      for (int j = 0; j < 32; ++j) {
        const int code = codes[32 * part + j] | (high[j] >> (2 * part) & 3) << 4;
        codes[32 * part + j] = static_cast<std::int8_t>(code - 32);
      }
    }
  }
}

void unpack(Format format, const std::uint8_t* bytes, UnpackedBlock& block) {
  switch (format) {
    case Format::q8_0:
      return unpack_q8_0(bytes, block);
    case Format::q4_0:
      return unpack_q4_0(bytes, block);
    case Format::q4_1:
      return unpack_q4_1(bytes, block);
    case Format::q5_0:
      return unpack_q5_0(bytes, block);
    case Format::q5_1:
      return unpack_q5_1(bytes, block);
    case Format::q4_K:
      return unpack_q4_K(bytes, block);
    case Format::q5_K:
      return unpack_q5_K(bytes, block);
    case Format::q6_K:
      return unpack_q6_K(bytes, block);
    default:
      throw InternalError("a format without blocks of weights is unpacked");
  }
}

void dequantise_blocks(Format format, const std::uint8_t* bytes, std::span<float> out) {
  const FormatInfo& layout = info(format);
  UnpackedBlock block;
  for (std::size_t first = 0; first < out.size(); bytes += layout.block_bytes) {
    unpack(format, bytes, block);
    const auto end = first + static_cast<std::size_t>(layout.block_elements);
    for (std::size_t group = 0; first < end; ++group, first += kGroup) {
      const float scale = block.d * static_cast<float>(block.scales[group]);
      const float minimum = block.m * static_cast<float>(block.minima[group]);
      const std::int8_t* __restrict__ codes = block.codes.data() + group * kGroup;
      float* __restrict__ values = out.data() + first;
      for (int j = 0; j < kGroup; ++j) {
        values[j] = scale * static_cast<float>(codes[j]) - minimum;
      }
    }
  }
}

void dequantise_half(const std::uint8_t* bytes, std::span<float> out) {
  constexpr std::size_t kAtOnce = 16;
  std::size_t i = 0;
  for (; i + kAtOnce <= out.size(); i += kAtOnce) {
    std::uint16_t bits[kAtOnce];
    float values[kAtOnce];
    std::memcpy(bits, bytes + 2 * i, sizeof bits);
    for (std::size_t j = 0; j < kAtOnce; ++j) values[j] = from_half(bits[j]);
    std::memcpy(&out[i], values, sizeof values);
  }
  for (; i < out.size(); ++i) out[i] = half_at(bytes + 2 * i);
}

void dequantise_bfloat(const std::uint8_t* bytes, std::span<float> out) {
  constexpr std::size_t kAtOnce = 16;
  std::size_t i = 0;
  for (; i + kAtOnce <= out.size(); i += kAtOnce) {
    std::uint16_t bits[kAtOnce];
    std::memcpy(bits, bytes + 2 * i, sizeof bits);
    std::uint32_t words[kAtOnce];
    for (std::size_t j = 0; j < kAtOnce; ++j) words[j] = static_cast<std::uint32_t>(bits[j]) << 16;
    std::memcpy(&out[i], words, sizeof words);
  }
  for (; i < out.size(); ++i) {
    std::uint16_t bits;
    std::memcpy(&bits, bytes + 2 * i, sizeof bits);
    out[i] = from_bfloat(bits);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace
}  // namespace presil
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace presil {
namespace {

HWY_EXPORT(unpack);
HWY_EXPORT(dequantise_blocks);
HWY_EXPORT(dequantise_half);
HWY_EXPORT(dequantise_bfloat);

/// What each byte of an eight-bit float stands for.
std::array<float, 256> numbers_of_codes(Format format) {
  std::array<float, 256> numbers;
  for (std::size_t code = 0; code < numbers.size(); ++code) {
    numbers[code] = decode_number(format, static_cast<std::uint8_t>(code));
  }
  return numbers;
}

void look_up(const std::array<float, 256>& table, const std::uint8_t* bytes, std::span<float> out) {
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = table[bytes[i]];
}

}  // namespace

bool is_weight_format(Format format) {
  switch (format) {
    case Format::fp32:
    case Format::fp16:
    case Format::bf16:
    case Format::fp8_e4m3:
    case Format::fp8_e5m2:
      return true;
    default:
      return is_block_format(format) && format != Format::q8_1 && format != Format::q8_K;
  }
}

UnpackedBlock unpack_block(Format format, std::span<const std::byte> bytes) {
  UnpackedBlock block;
  HWY_DYNAMIC_DISPATCH(unpack)
  (format, reinterpret_cast<const std::uint8_t*>(bytes.data()), block);
  return block;
}

void dequantise(Format format, std::span<const std::byte> bytes, std::span<float> out) {
  static const std::array<float, 256> e4m3 = numbers_of_codes(Format::fp8_e4m3);
  static const std::array<float, 256> e5m2 = numbers_of_codes(Format::fp8_e5m2);
  const auto* from = reinterpret_cast<const std::uint8_t*>(bytes.data());
  switch (format) {
    case Format::fp32:
      std::memcpy(out.data(), from, out.size_bytes());
      return;
    case Format::fp16:
      HWY_DYNAMIC_DISPATCH(dequantise_half)(from, out);
      return;
    case Format::bf16:
      HWY_DYNAMIC_DISPATCH(dequantise_bfloat)(from, out);
      return;
    case Format::fp8_e4m3:
      return look_up(e4m3, from, out);
    case Format::fp8_e5m2:
      return look_up(e5m2, from, out);
    default:
      HWY_DYNAMIC_DISPATCH(dequantise_blocks)(format, from, out);
  }
}

}  // namespace presil
#endif
