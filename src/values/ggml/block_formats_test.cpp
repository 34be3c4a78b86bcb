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

}  // namespace
}  // namespace presil
