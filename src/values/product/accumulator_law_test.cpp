// What nature demands of accumulators: more bits never do worse than fewer by more than noise.
#include <cmath>

#include <gtest/gtest.h>

#include "values/product/plain_product.h"
#include "values/testing/drawn_numbers.h"

namespace presil {
namespace {

using Kind = Accumulator::Kind;

constexpr std::int64_t kLength = 4096;
constexpr int kDraws = 40;

Accumulator aligned(std::int64_t bits, std::int64_t promote_every = 0) {
  return {.kind = Kind::aligned,
          .group = 32,
          .bits = bits,
          .rounding = Accumulator::Rounding::truncate,
          .promote_every = promote_every};
}

/// The error of dot products of fp8-like numbers against double, relative to their norm.
double error_of(const Accumulator& accumulator) {
  testing::NumberSource source(11);
  double squares = 0;
  for (int draw = 0; draw < kDraws; ++draw) {
    CodedRows a(1, kLength, Scaling::none);
    CodedRows b(1, kLength, Scaling::none);
    double exact = 0;
    double norm = 0;
    for (std::size_t i = 0; i < a.codes.size(); ++i) {
      a.codes[i] = std::round((source.even() + 0.25f) * 16);  // exact products; a drift to one side
      b.codes[i] = std::round((source.even() + 0.25f) * 16);
      const double product = static_cast<double>(a.codes[i]) * static_cast<double>(b.codes[i]);
      exact += product;
      norm += std::fabs(product);
    }
    a.scales = {0.1f};
    const double sum = plain_product(accumulator, {}, a, b).front();
    squares += std::pow((sum - exact * static_cast<double>(0.1f)) / norm, 2);
  }
  return std::sqrt(squares / kDraws);
}

TEST(AccumulatorLaw, EveryBitHelps) {
  constexpr double kNoise = 1e-7;  // of fp32's own roundings
  const double bits_8 = error_of(aligned(8));
  const double bits_10 = error_of(aligned(10));
  const double bits_14 = error_of(aligned(14));
  const double bits_18 = error_of(aligned(18));
  const double fp32 = error_of({.group = 32, .order = Accumulator::Order::tree});

  EXPECT_LE(bits_10, bits_8 + kNoise);
  EXPECT_LE(bits_14, bits_10 + kNoise);
  EXPECT_LE(bits_18, bits_14 + kNoise);
  EXPECT_LE(fp32, bits_18 + kNoise);
  EXPECT_GT(bits_8, 10 * bits_14);  // and the narrow ones do hurt
}

TEST(AccumulatorLaw, PromotionHelpsNarrowSums) {
  EXPECT_LT(error_of(aligned(14, 128)), error_of(aligned(14)) / 2);
}

}  // namespace
}  // namespace presil
