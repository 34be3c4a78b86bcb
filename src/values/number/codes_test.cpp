#include "values/number/codes.h"

#include <bit>
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "values/number/number.h"
#include "values/testing/drawn_numbers.h"
#include "values/testing/every_target.h"

namespace presil {
namespace {

constexpr Format kPlainFormats[] = {Format::fp32,     Format::tf32,     Format::fp16,
                                    Format::bf16,     Format::fp8_e4m3, Format::fp8_e5m2,
                                    Format::fp4_e2m1, Format::int8,     Format::int4};

bool same_bits(float a, float b) {
  return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b) ||
         (std::isnan(a) && std::isnan(b));
}

void expect_same(std::span<const float> found, std::span<const float> expected) {
  for (std::size_t i = 0; i < expected.size(); ++i) {
    ASSERT_TRUE(same_bits(found[i], expected[i]))
        << i << ": found " << found[i] << ", expected " << expected[i];
  }
}

/// Any floats, and around every number of the format: it, its ties and their neighbours.
std::vector<float> hard_numbers(Format format) {
  testing::NumberSource source(7);
  std::vector<float> numbers{0, -0.0f, std::numeric_limits<float>::infinity(),
                             std::numeric_limits<float>::quiet_NaN()};
  for (int i = 0; i < 20000; ++i) numbers.push_back(source.any());
  for (int i = 0; i < 20000; ++i) {
    const float near = round_number(format, Overflow::saturate, source.wide(20));
    const float tie = near + (round_number(format, Overflow::saturate, near * 1.2f) - near) / 2;
    for (const float x : {near, tie}) {
      numbers.insert(numbers.end(), {x, std::nextafter(x, 1e30f), std::nextafter(x, -1e30f)});
    }
  }
  return numbers;
}

TEST(Codes, VectorsRoundAsTheDefinitionDoes) {
  for (const Format format : kPlainFormats) {
    const std::vector<float> numbers = hard_numbers(format);
    for (const Overflow overflow : {Overflow::saturate, Overflow::infinite}) {
      std::vector<float> expected = numbers;
      for (float& x : expected) x = round_number(format, overflow, x);
      testing::on_every_target([&] {
        SCOPED_TRACE(to_string(format));
        std::vector<float> found = numbers;
        round_all(format, overflow, found);
        expect_same(found, expected);
      });
    }
  }
}

TEST(Codes, RowsAreCodedAsTheDefinitionDoes) {
  testing::NumberSource source(8);
  for (const Scaling scaling :
       {Scaling::token, Scaling::group_128, Scaling::mx_32, Scaling::nv_16}) {
    for (const Format format :
         {Format::fp8_e4m3, Format::fp8_e5m2, Format::fp4_e2m1, Format::int8}) {
      if (format == Format::int8 && (scaling == Scaling::mx_32 || scaling == Scaling::nv_16)) {
        continue;
      }
      for (const std::int64_t columns : {1, 16, 31, 32, 128, 200, 288}) {
        std::vector<float> row = source.wide_numbers(columns, source.one_of<int>({2, 20, 126}));
        if (source.below(8) == 0) row.back() = std::numeric_limits<float>::quiet_NaN();
        if (source.below(4) == 0) std::fill(row.begin(), row.begin() + columns / 2, 0.0f);
        std::vector<float> scales(static_cast<std::size_t>((columns + 127) / 128));
        for (float& s : scales) s = scale_of(format, largest_magnitude(row));
        if (scaling == Scaling::nv_16) scales.front() = nv_scale_of(largest_magnitude(row));
        std::vector<float> expected = row;
        plain_encode_row({format, scaling}, Overflow::saturate, scales, expected);
        testing::on_every_target([&] {
          SCOPED_TRACE(std::string(to_string(format)) + "/" + std::string(to_string(scaling)) +
                       " of " + std::to_string(columns));
          std::vector<float> found = row;
          encode_row({format, scaling}, Overflow::saturate, scales, found);
          expect_same(found, expected);
        });
      }
    }
  }
}

TEST(Codes, LargestMagnitudeSeesEveryElementAndNans) {
  testing::on_every_target([] {
    for (std::size_t n = 1; n < 40; ++n) {
      for (std::size_t i = 0; i < n; ++i) {
        std::vector<float> row(n, 0.5f);
        row[i] = -2;
        EXPECT_EQ(largest_magnitude(row), 2);
        row[i] = std::numeric_limits<float>::quiet_NaN();
        EXPECT_TRUE(std::isnan(largest_magnitude(row)));
      }
    }
  });
}

TEST(Codes, ScalesReachTheLargestNumber) {
  EXPECT_EQ(scale_of(Format::int8, 254), 2);
  EXPECT_EQ(scale_of(Format::fp8_e4m3, 896), 2);
  EXPECT_EQ(scale_of(Format::fp8_e4m3, 0), 1);
  EXPECT_EQ(scale_of(Format::fp8_e4m3, 1e-40f), 0x1p-126f);
  EXPECT_EQ(nv_scale_of(448 * 6 * 3), 3);
}

TEST(Codes, BlocksOfMxShareThePowerOfTwoBelowTheirLargest) {
  // amax 5 = 1.25 x 2^2; e2m1's largest exponent is 2, so X = 1: 5 is a tie and goes to 4.
  std::vector<float> row{5, 0.26f, -0.2f, 1};
  encode_row({Format::fp4_e2m1, Scaling::mx_32}, Overflow::saturate, std::vector<float>{1}, row);
  EXPECT_EQ(row, (std::vector<float>{4, 0.5f, -0.0f, 1}));
}

TEST(Codes, BlocksOfNvHaveAnE4m3Scale) {
  // t = 1: the block's scale is 13 / 6 = 2.1666 in e4m3, which is 2.25. 13 / 2.25 = 5.8 is 6 in
  // e2m1, 3 / 2.25 = 1.33 is 1.5.
  std::vector<float> row{13, 3};
  encode_row({Format::fp4_e2m1, Scaling::nv_16}, Overflow::saturate, std::vector<float>{1}, row);
  EXPECT_EQ(row, (std::vector<float>{6 * 2.25f, 1.5f * 2.25f}));
}

}  // namespace
}  // namespace presil
