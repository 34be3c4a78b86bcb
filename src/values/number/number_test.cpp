#include "values/number/number.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

namespace presil {
namespace {

constexpr auto kSaturate = Overflow::saturate;
constexpr auto kInfinite = Overflow::infinite;
constexpr float kInfinity = std::numeric_limits<float>::infinity();

TEST(Number, E4m3HasTheNumbersOfItsTable) {
  // OCP OFP8 1.0, table 1: largest S.1111.110 = 1.75 x 2^8, smallest normal S.0001.000 = 2^-6,
  // smallest subnormal S.0000.001 = 2^-9, NaN S.1111.111.
  EXPECT_EQ(decode_number(Format::fp8_e4m3, 0x7E), 448);
  EXPECT_EQ(decode_number(Format::fp8_e4m3, 0x08), 0x1p-6f);
  EXPECT_EQ(decode_number(Format::fp8_e4m3, 0x81), -0x1p-9f);
  EXPECT_TRUE(std::isnan(decode_number(Format::fp8_e4m3, 0xFF)));
}

TEST(Number, E5m2HasTheNumbersOfItsTable) {
  // The same table: largest S.11110.11 = 1.75 x 2^15, smallest subnormal 2^-16, infinity
  // S.11111.00.
  EXPECT_EQ(decode_number(Format::fp8_e5m2, 0x7B), 57344);
  EXPECT_EQ(decode_number(Format::fp8_e5m2, 0x01), 0x1p-16f);
  EXPECT_EQ(decode_number(Format::fp8_e5m2, 0xFC), -kInfinity);
  EXPECT_TRUE(std::isnan(decode_number(Format::fp8_e5m2, 0x7D)));
}

TEST(Number, E2m1IsEightMagnitudes) {
  const float magnitudes[] = {0, 0.5f, 1, 1.5f, 2, 3, 4, 6};
  for (std::uint8_t code = 0; code < 8; ++code) {
    EXPECT_EQ(decode_number(Format::fp4_e2m1, code), magnitudes[code]);
    EXPECT_EQ(decode_number(Format::fp4_e2m1, code | 8), -magnitudes[code]);
  }
}

TEST(Number, EveryCodeComesBack) {
  for (const Format format : {Format::fp8_e4m3, Format::fp8_e5m2, Format::fp4_e2m1}) {
    const int codes = format == Format::fp4_e2m1 ? 16 : 256;
    for (int code = 0; code < codes; ++code) {
      const float number = decode_number(format, static_cast<std::uint8_t>(code));
      if (std::isnan(number)) continue;
      EXPECT_EQ(encode_number(format, kInfinite, number), code) << to_string(format);
    }
  }
}

TEST(Number, TiesGoToEven) {
  EXPECT_EQ(round_number(Format::fp8_e4m3, kSaturate, 17), 16);  // between 16 and 18
  EXPECT_EQ(round_number(Format::fp8_e4m3, kSaturate, 19), 20);  // between 18 and 20
  EXPECT_EQ(round_number(Format::fp8_e4m3, kSaturate, 0x1p-10f), 0);
  EXPECT_EQ(round_number(Format::fp8_e4m3, kSaturate, 0x1.8p-9f), 0x1p-8f);
  EXPECT_EQ(round_number(Format::fp4_e2m1, kSaturate, 2.5f), 2);
  EXPECT_EQ(round_number(Format::fp4_e2m1, kSaturate, 5), 4);
  EXPECT_EQ(round_number(Format::int8, kSaturate, 2.5f), 2);
}

TEST(Number, BeyondTheLargestItSaturatesOrIsInfinite) {
  EXPECT_EQ(round_number(Format::fp8_e4m3, kSaturate, 1e9f), 448);
  EXPECT_EQ(round_number(Format::fp8_e4m3, kInfinite, 464), 448);  // a tie: 448 is even
  EXPECT_TRUE(std::isnan(round_number(Format::fp8_e4m3, kInfinite, 465)));
  EXPECT_EQ(round_number(Format::fp8_e5m2, kInfinite, -61440), -kInfinity);  // a tie: to 65536
  EXPECT_EQ(round_number(Format::fp8_e5m2, kSaturate, kInfinity), 57344);
  EXPECT_EQ(round_number(Format::bf16, kSaturate, kInfinity), 0x1.fep127f);
  EXPECT_EQ(round_number(Format::fp4_e2m1, kInfinite, -7), -6);
  EXPECT_EQ(round_number(Format::int8, kInfinite, -128), -127);
  EXPECT_EQ(round_number(Format::int4, kSaturate, 7.9f), 7);
}

TEST(Number, ScalesOfMxArePowersOfTwo) {
  EXPECT_EQ(decode_e8m0(127), 1);
  EXPECT_EQ(decode_e8m0(0), 0x1p-127f);
  EXPECT_TRUE(std::isnan(decode_e8m0(255)));
}

}  // namespace
}  // namespace presil
