#include "values/cache_rows.h"

#include <cmath>
#include <tuple>

#include <gtest/gtest.h>

#include "base/error.h"
#include "model/testing/says.h"

namespace presil {
namespace {

using testing::refusal;
using testing::says;

/// What becomes of one token's row, of one head.
std::vector<float> through(const Operand& stored, const std::vector<float>& row,
                           Format operands = Format::fp32) {
  CacheRows rows(stored, 1, std::ssize(row));
  rows.append(row);
  std::vector<float> out(row.size());
  rows.read(0, 1, operands, out);
  return out;
}

TEST(CacheRows, KeepsFp32AsItIs) {
  const std::vector<float> row = {1.0f / 3, -0x1p-140f, 1e30f};
  EXPECT_EQ(through({Format::fp32}, row), row);
}

TEST(CacheRows, RoundsToSixteenBitsOnceAndOperandsOnTheWayOut) {
  // 1 + 2^-8 is a tie between the bf16 numbers 1 and 1 + 2^-7; fp16 holds it.
  EXPECT_EQ(through({Format::bf16}, {1 + 0x1p-8f}).front(), 1);
  EXPECT_EQ(through({Format::fp16}, {1 + 0x1p-8f}).front(), 1 + 0x1p-8f);
  EXPECT_EQ(through({Format::fp16}, {1 + 0x1p-8f}, Format::bf16).front(), 1);
}

TEST(CacheRows, EightBitFloatsRoundToEvenSaturateAndHaveSubnormals) {
  // e4m3 steps: 2 at 16 to 32, 2^-9 below 2^-6; the largest is 448.
  EXPECT_EQ(through({Format::fp8_e4m3}, {17, 19, -1000, 0x1.8p-9f, 0x1p-11f}),
            (std::vector<float>{16, 20, -448, 0x1p-8f, 0}));
  // e5m2 steps: 4 at 16 to 32, 2^-16 below 2^-14; the largest is 57344.
  EXPECT_EQ(through({Format::fp8_e5m2}, {18, 22, 1e9f, 0x1.8p-16f}),
            (std::vector<float>{16, 24, 57344, 0x1p-15f}));
}

TEST(CacheRows, EveryCodeOfAnEightBitFloatSurvives) {
  for (const auto& [format, mantissa, bias, codes] :
       {std::tuple{Format::fp8_e4m3, 3, 7, 0x7F}, {Format::fp8_e5m2, 2, 15, 0x7C}}) {
    for (int code = 0; code < codes; ++code) {
      const int exponent = code >> mantissa;
      const int steps = code & ((1 << mantissa) - 1);
      const int units = exponent == 0 ? steps : steps + (1 << mantissa);
      const float value =
          std::ldexp(static_cast<float>(units), std::max(exponent, 1) - bias - mantissa);
      EXPECT_EQ(through({format}, {value, -value}), (std::vector<float>{value, -value}));
    }
  }
}

TEST(CacheRows, ATokensScaleMakesItsHeadsLargestTheLargestOfTheFormat) {
  // Two heads of two: amax 254 gives a scale of 2, amax 12.7 one of 0.1.
  CacheRows rows({Format::int8, Scaling::token}, 2, 2);
  rows.append(std::vector<float>{254, -3, 12.7f, 0});
  std::vector<float> out(4);

  rows.read(0, 1, Format::fp32, out);

  EXPECT_EQ(out[0], 254);
  EXPECT_EQ(out[1], -4);  // -1.5 ties to -2
  EXPECT_NEAR(out[2], 12.7f, 1e-6);
  EXPECT_EQ(out[3], 0);
}

TEST(CacheRows, ReadsAnyStretchOfTokens) {
  CacheRows rows({Format::fp8_e4m3, Scaling::token}, 1, 2);
  for (const float v : {1.0f, 2.0f, 3.0f}) rows.append(std::vector<float>{v, 0});
  std::vector<float> out(4);

  rows.read(1, 3, Format::fp32, out);

  EXPECT_EQ(rows.size(), 3);
  EXPECT_EQ(out, (std::vector<float>{2, 0, 3, 0}));
}

TEST(CacheRows, RefusesWhatNoCacheHas) {
  EXPECT_TRUE(says(refusal<InputError>([] { CacheRows({Format::q8_0}, 1, 32); }),
                   "numerics.kv_cache: expected fp32, fp16, bf16, fp8_e4m3, fp8_e5m2 or int8"));
  EXPECT_TRUE(says(refusal<InputError>([] {
                     CacheRows({Format::int8, Scaling::mx_32}, 1, 32);
                   }),
                   "found int8 with scaling mx_32"));
}

}  // namespace
}  // namespace presil
