#include "values/ggml/block_formats.h"

#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

namespace presil {
namespace {

std::vector<std::byte> bytes(std::initializer_list<int> values) {
  std::vector<std::byte> result;
  for (const int v : values) result.push_back(static_cast<std::byte>(v));
  return result;
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

TEST(Blocks, FifthBitsLieInAWordBeforeTheNibbles) {
  // d = 1; bits 0 and 31 of the word: element 0 is 16 + 3, element 31 is 16 + 10, from -16 on.
  std::vector<std::byte> q5_0 = bytes({0x00, 0x3C, 0x01, 0x00, 0x00, 0x80, 0x03});
  q5_0.resize(22);
  q5_0[21] = std::byte{0xA0};
  std::vector<float> values(32);

  dequantise(Format::q5_0, q5_0, values);
  EXPECT_EQ(values[0], 3);
  EXPECT_EQ(values[31], 10);
  EXPECT_EQ(values[1], -16);

  // The same after d = 1 and m = 0.5, from 0 on.
  std::vector<std::byte> q5_1 = bytes({0x00, 0x3C, 0x00, 0x38});
  q5_1.insert(q5_1.end(), q5_0.begin() + 2, q5_0.end());
  dequantise(Format::q5_1, q5_1, values);
  EXPECT_EQ(values[0], 19.5f);
  EXPECT_EQ(values[31], 26.5f);
  EXPECT_EQ(values[1], 0.5f);
}

TEST(Blocks, LargeBlocksHaveScalesAndMinimaOfSixBits) {
  // d = 1, m = 0.5. Bytes of scales: b0 = 0xC5 gives scale 0 = 5 and the upper bits 3 of scale 4;
  // b4 = 0x82: minimum 0 = 2, upper bits 2 of minimum 4; b8 = 0x97: scale 4 = 7 + 48, minimum 4 =
  // 9 + 32.
  std::vector<std::byte> q4_K(144);
  const auto put = [&](std::size_t at, int value) { q4_K[at] = static_cast<std::byte>(value); };
  put(1, 0x3C);
  put(3, 0x38);
  put(4, 0xC5);
  put(8, 0x82);
  put(12, 0x97);
  put(16, 0x0B);           // element 0 is 11; element 32, the high nibble, 0
  put(16 + 64 + 1, 0x0D);  // element 128 + 1 is 13
  std::vector<float> values(256);

  dequantise(Format::q4_K, q4_K, values);

  EXPECT_EQ(values[0], 5 * 11 - 0.5f * 2);
  EXPECT_EQ(values[1], -0.5f * 2);
  EXPECT_EQ(values[32], 0);  // scale 1 and minimum 1 are 0
  EXPECT_EQ(values[129], 55 * 13 - 0.5f * 41);
}

TEST(Blocks, Q5_KHasOneUpperBitAndQ6_KTwo) {
  std::vector<std::byte> q5_K(176);
  q5_K[1] = std::byte{0x3C};   // d = 1
  q5_K[4 + 1] = std::byte{2};  // scale 1 = 2
  q5_K[16] = std::byte{0x02};  // fifth bit of element 32
  q5_K[48] = std::byte{0x50};  // and its nibble
  std::vector<std::byte> q6_K(210);
  q6_K[209] = std::byte{0x3C};       // d = 1
  q6_K[192 + 8] = std::byte{0xFD};   // scale 8 = -3: elements 128 to 143
  q6_K[64] = std::byte{0x07};        // element 128: nibble 7
  q6_K[128 + 32] = std::byte{0x02};  // and its upper bits 2: 39
  std::vector<float> values(256);

  dequantise(Format::q5_K, q5_K, values);
  EXPECT_EQ(values[32], 2 * (16 + 5));
  dequantise(Format::q6_K, q6_K, values);
  EXPECT_EQ(values[128], -3 * (39 - 32));
  EXPECT_EQ(values[129], -3 * -32);
}

TEST(Blocks, EightBitFloatsAreOcps) {
  // e4m3: 0x7E is 448, 0x7F NaN, 0x01 2^-9. e5m2: 0x7B is 57344, 0x7C infinite, 0x01 2^-16.
  std::vector<float> values(4);
  dequantise(Format::fp8_e4m3, bytes({0x7E, 0xFF, 0x01, 0xB8}), values);
  EXPECT_EQ(values[0], 448);
  EXPECT_TRUE(std::isnan(values[1]));
  EXPECT_EQ(values[2], 0x1p-9f);
  EXPECT_EQ(values[3], -1);
  dequantise(Format::fp8_e5m2, bytes({0x7B, 0xFC, 0x01, 0x7D}), values);
  EXPECT_EQ(values[0], 57344);
  EXPECT_EQ(values[1], -std::numeric_limits<float>::infinity());
  EXPECT_EQ(values[2], 0x1p-16f);
  EXPECT_TRUE(std::isnan(values[3]));
}

}  // namespace
}  // namespace presil
