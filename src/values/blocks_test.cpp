#include "values/blocks.h"

#include <cmath>

#include <gtest/gtest.h>

#include "values/dot.h"
#include "values/number/rounding.h"

namespace presil {
namespace {

std::vector<std::byte> bytes(std::initializer_list<int> values) {
  std::vector<std::byte> result;
  for (const int v : values) result.push_back(static_cast<std::byte>(v));
  return result;
}

/// The compiler's own half, as a second opinion.
__extension__ using CompilersHalf = _Float16;

TEST(Rounding, EveryHalfIsReadAndWrittenAsTheCompilerDoes) {
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    const auto expected = static_cast<float>(std::bit_cast<CompilersHalf>(half));
    const float value = from_half(half);
    if (std::isnan(expected)) {
      EXPECT_TRUE(std::isnan(value));
      EXPECT_TRUE(std::isnan(from_half(to_half(value))));
    } else {
      ASSERT_EQ(std::bit_cast<std::uint32_t>(value), std::bit_cast<std::uint32_t>(expected));
      ASSERT_EQ(to_half(value), half);
    }
  }
}

TEST(Rounding, FloatsGoToTheNearestHalfAsTheCompilerRounds) {
  for (std::uint32_t i = 0; i < 0x100000; ++i) {
    const auto value = std::bit_cast<float>(i * 4093u);  // all exponents, odd mantissas
    if (std::isnan(value)) continue;
    const auto expected = std::bit_cast<std::uint16_t>(static_cast<CompilersHalf>(value));
    ASSERT_EQ(to_half(value), expected) << value;
  }
}

TEST(Rounding, BfloatTiesGoToEven) {
  // 1 has a last place of 2^-7 in bfloat16.
  EXPECT_EQ(round_to_bfloat(1 + 0x1p-8f), 1.0f);
  EXPECT_EQ(round_to_bfloat(1 + 3 * 0x1p-8f), 1 + 2 * 0x1p-7f);
  EXPECT_EQ(round_to_bfloat(1 + 0x1.02p-8f), 1 + 0x1p-7f);
  EXPECT_TRUE(std::isnan(round_to_bfloat(std::nanf(""))));
}

TEST(Blocks, Q4_1IsScaleTimesNibblePlusMinimum) {
  // d = 0.5 (0x3800), m = -1 (0xBC00); byte 0 = 0xA3: element 0 is 3, element 16 is 10.
  std::vector<std::byte> block = bytes({0x00, 0x38, 0x00, 0xBC, 0xA3});
  block.resize(20);
  std::vector<float> values(32);

  dequantise(Format::q4_1, block, values);

  EXPECT_EQ(values[0], 0.5f * 3 - 1);
  EXPECT_EQ(values[16], 0.5f * 10 - 1);
  EXPECT_EQ(values[1], -1);
}

TEST(Blocks, Q4_0CountsFromMinusEightAndQ8_0IsSigned) {
  std::vector<std::byte> q4_0 = bytes({0x00, 0x3C, 0xF0});  // d = 1; 0 and 15
  q4_0.resize(18);
  std::vector<std::byte> q8_0 = bytes({0x00, 0x40, 0xFF, 0x7F});  // d = 2; -1 and 127
  q8_0.resize(34);
  std::vector<float> values(32);

  dequantise(Format::q4_0, q4_0, values);
  EXPECT_EQ(values[0], -8);
  EXPECT_EQ(values[16], 7);
  dequantise(Format::q8_0, q8_0, values);
  EXPECT_EQ(values[0], -2);
  EXPECT_EQ(values[1], 254);
}

TEST(Blocks, ActivationsAreQuantisedByTheirLargest) {
  // amax = 254, so d = 2: 254 is 127, -3 is -1.5 and ties to -2, 1 is 0.5 and ties to 0.
  std::vector<float> values(32, 0.0f);
  values[0] = 254;
  values[1] = -3;
  values[2] = 1;
  Blocks blocks(32);

  quantise(Format::q8_1, values, 0, blocks);

  EXPECT_EQ(blocks.quants[0], 127);
  EXPECT_EQ(blocks.quants[1], -2);
  EXPECT_EQ(blocks.quants[2], 0);
  EXPECT_EQ(blocks.scales[0], 2);
  EXPECT_EQ(blocks.offsets[0], 2 * 125);  // s = d * (127 - 2)
}

TEST(Blocks, ABlockOfZerosStaysZero) {
  Blocks blocks(32);
  quantise(Format::q8_0, std::vector<float>(32, 0.0f), 0, blocks);
  EXPECT_EQ(blocks.scales[0], 0);
  EXPECT_EQ(blocks.quants[7], 0);
}

TEST(Dot, ABlockIsAnExactIntegerDotTimesTheScales) {
  Blocks weights(64), activations(64);
  int expected = 0;
  for (int i = 0; i < 32; ++i) {
    weights.quants[static_cast<std::size_t>(i)] = static_cast<std::int16_t>(i - 16);
    activations.quants[static_cast<std::size_t>(i)] = static_cast<std::int16_t>(127 - 3 * i);
    expected += (i - 16) * (127 - 3 * i);
  }
  weights.scales = {0.5f, 0.25f};
  weights.offsets = {-1, 4};
  activations.scales = {2, 1};
  activations.offsets = {3, 0.5f};
  const auto row = [](const Blocks& b) {
    return BlockRow{b.quants.data(), b.scales.data(), b.offsets.data()};
  };

  // 0.5 x 2 x integer + (-1) x 3, then a block of zeros with 4 x 0.5.
  EXPECT_EQ(block_dot(row(weights), row(activations), 2), static_cast<float>(expected) - 3 + 2);
}

TEST(Dot, AddsSixteenLanesAndThenTheirTree) {
  // 2^24 + 1 is 2^24 in a float: the order shows. Lane 0 holds 2^24, lane 8 holds 1 + 1.
  std::vector<float> a(40, 0.0f);
  const std::vector<float> ones(40, 1.0f);
  a[0] = 0x1p24f;
  a[8] = 1;
  a[24] = 1;
  EXPECT_EQ(dot(a.data(), ones.data(), 40), 0x1p24f + 2);

  // One after another in lane 0, each 1 is lost.
  std::vector<float> b(48, 0.0f);
  b[0] = 0x1p24f;
  b[16] = 1;
  b[32] = 1;
  EXPECT_EQ(dot(b.data(), std::vector<float>(48, 1.0f).data(), 48), 0x1p24f);
}

}  // namespace
}  // namespace presil
