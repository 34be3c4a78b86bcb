#include "values/ggml/quantised_rows.h"

#include <gtest/gtest.h>

#include "values/ggml/block_formats.h"

namespace presil {
namespace {

TEST(QuantisedRows, SmallBlocksAreScaledByTheirLargest) {
  // amax = 254, so d = 2: 254 is 127, -3 is -1.5 and ties to -2, 1 is 0.5 and ties to 0.
  std::vector<float> values(32, 0.0f);
  values[0] = 254;
  values[1] = -3;
  values[2] = 1;

  const QuantisedRows rows(Format::q8_1, values, 32);
  const QuantisedRow row = rows.at(0, 0);

  EXPECT_EQ(row.codes[0], 127);
  EXPECT_EQ(row.codes[1], -2);
  EXPECT_EQ(row.codes[2], 0);
  EXPECT_EQ(row.scales[0], 2);
  EXPECT_EQ(row.sums[0], 2 * 125);  // s = d * (127 - 2)
  EXPECT_EQ(row.group_sums[0], 125);
  EXPECT_EQ(row.group_sums[1], 0);
}

TEST(QuantisedRows, ScalesOfSmallBlocksAreHalves) {
  // d = 1 / 127 = 0x1.020408p-7, as a half 0x1.020p-7; the codes are those of the unrounded d.
  const QuantisedRows rows(Format::q8_0, std::vector<float>(32, 1.0f), 32);
  EXPECT_EQ(rows.at(0, 0).scales[0], 0x1.02p-7f);
  EXPECT_EQ(rows.at(0, 0).codes[31], 127);
}

TEST(QuantisedRows, LargeBlocksAreScaledByTheFirstExtremeWithItsSign) {
  // -4 comes before 4, so codes are x * (-127 / -4): the 4 is 127 and the -4 is -127.
  std::vector<float> values(256, 1.0f);
  values[17] = -4;
  values[30] = 4;

  const QuantisedRows rows(Format::q8_K, values, 256);
  const QuantisedRow row = rows.at(0, 0);

  EXPECT_EQ(row.codes[17], -127);
  EXPECT_EQ(row.codes[30], 127);
  EXPECT_EQ(row.codes[0], 32);  // 31.75
  EXPECT_EQ(row.scales[0], 1 / 31.75f);
  EXPECT_EQ(row.group_sums[1], 14 * 32);  // elements 16 to 31: the two extremes cancel

  values[5] = 4;  // now a 4 is the first: the signs of the codes and of d turn
  const QuantisedRows turned(Format::q8_K, values, 256);
  EXPECT_EQ(turned.at(0, 0).codes[5], -127);
  EXPECT_EQ(turned.at(0, 0).scales[0], 1 / -31.75f);
}

TEST(QuantisedRows, ABlockOfZerosStaysZero) {
  for (const Format format : {Format::q8_0, Format::q8_1, Format::q8_K}) {
    const QuantisedRows rows(format, std::vector<float>(256, 0.0f), 256);
    EXPECT_EQ(rows.at(0, 0).scales[0], 0);
    EXPECT_EQ(rows.at(0, 0).codes[7], 0);
  }
}

TEST(QuantisedRows, AreFoundByRowAndColumn) {
  std::vector<float> values(2 * 64, 0.0f);
  values[64 + 32] = 127;

  const QuantisedRows rows(Format::q8_0, values, 64);

  EXPECT_EQ(rows.at(1, 32).codes[0], 127);
  EXPECT_EQ(rows.at(1, 32).scales[0], 1);
  EXPECT_EQ(rows.at(1, 32).group_sums[0], 127);
  EXPECT_EQ(rows.at(1, 0).scales[0], 0);
}

}  // namespace
}  // namespace presil
