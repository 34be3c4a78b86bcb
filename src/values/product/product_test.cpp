// The kernels give the bits of plain_product.h, on every instruction set, whatever is drawn.
#include <bit>
#include <cmath>

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "values/product/chip_product.h"
#include "values/product/plain_product.h"
#include "values/testing/drawn_numbers.h"
#include "values/testing/every_target.h"

namespace presil {
namespace {

using Kind = Accumulator::Kind;
using testing::NumberSource;

bool same_bits(float a, float b) {
  return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b) ||
         (!std::isfinite(a) && !std::isfinite(b));
}

Operand draw_operand(NumberSource& source, Kind kind, bool of_weights) {
  std::vector<Scaling> scalings{Scaling::tensor, Scaling::group_128,
                                of_weights ? Scaling::channel : Scaling::token};
  if (of_weights) scalings.push_back(Scaling::block_128);
  if (kind == Kind::int32) {
    return {source.one_of<Format>({Format::int8, Format::int4}), source.one_of(scalings)};
  }
  scalings.insert(scalings.end(), {Scaling::none, Scaling::mx_32, Scaling::nv_16});
  const Scaling scaling = source.one_of(scalings);
  std::vector<Format> formats{Format::fp8_e4m3, Format::fp8_e5m2, Format::fp4_e2m1};
  if (scaling == Scaling::none) formats = {Format::bf16, Format::fp16, Format::fp8_e4m3};
  if (scaling == Scaling::none && kind == Kind::fp32) formats.push_back(Format::fp32);
  return {source.one_of(formats), scaling};
}

ProductNumerics draw_numerics(NumberSource& source) {
  ProductNumerics n;
  n.accumulator.kind = source.one_of<Kind>({Kind::fp32, Kind::fp32, Kind::aligned, Kind::int32});
  n.accumulator.group = std::int64_t{1} << source.below(8);
  n.accumulator.bits = 4 + source.below(13);
  n.accumulator.rounding = source.one_of<Accumulator::Rounding>(
      {Accumulator::Rounding::nearest, Accumulator::Rounding::truncate});
  n.accumulator.order =
      source.one_of<Accumulator::Order>({Accumulator::Order::sequential, Accumulator::Order::tree});
  n.accumulator.promote_every = source.one_of<std::int64_t>({0, 0, 32, 128, 100});
  if (n.accumulator.kind == Kind::aligned && source.below(2) == 0) n.accumulator.group = 20;
  n.overflow = source.one_of<Overflow>({Overflow::saturate, Overflow::infinite});
  n.weights = draw_operand(source, n.accumulator.kind, true);
  n.activations = draw_operand(source, n.accumulator.kind, false);
  return n;
}

/// The codes of a whole weight.
CodedRows code_weight(const PreparedWeight& weight) {
  CodedRows coded(weight.view().rows(), weight.view().columns(), weight.scaling());
  for (std::int64_t r = 0; r < coded.rows; ++r) {
    weight.code_row(r, weight.view().row(r), coded.codes_of(r), coded.scales_of(r));
  }
  return coded;
}

void expect_kernels_equal_the_definition(std::uint64_t seed) {
  NumberSource source(seed);
  const ProductNumerics numerics = draw_numerics(source);
  const std::int64_t k = 1 + source.below(400);
  const std::int64_t n = 1 + source.below(40);
  const std::int64_t m = 1 + source.below(9);
  const KTiling tiling{source.one_of<std::int64_t>({0, 32, 64, 100}), 1 + source.below(3)};
  const int spread = source.one_of<int>({1, 4, 12});
  const testing::FloatMatrix matrix(n, k, source.wide_numbers(n * k, spread));
  const std::vector<float> input = source.wide_numbers(m * k, spread);
  std::vector<float> smoothing;
  if (source.below(3) == 0) smoothing = source.wide_numbers(k, 1);

  const PreparedWeight weight(WeightView(matrix.tensor), numerics, smoothing);
  const CodedRows activations =
      code_activations(*numerics.activations, numerics.overflow, input, k);
  const std::vector<float> expected =
      plain_product(numerics.accumulator, tiling, activations, code_weight(weight));

  testing::on_every_target([&] {
    std::vector<float> found(static_cast<std::size_t>(m * n));
    chip_product(numerics, tiling, activations, weight, found, n);
    for (std::size_t i = 0; i < found.size(); ++i) {
      RC_ASSERT(same_bits(found[i], expected[i]));
    }
  });
}

TEST(Product, KernelsEqualTheDefinitionBitForBit) {
  const bool holds = rc::check("kernels equal the definition", [](std::uint64_t seed) {
    for (std::uint64_t i = 0; i < 10; ++i) {
      expect_kernels_equal_the_definition(seed * 10 + i);
    }
  });
  EXPECT_TRUE(holds);
}

float plain(const Accumulator& accumulator, const std::vector<float>& products) {
  return plain_sum(accumulator, products, std::vector<float>(products.size(), 1.0f));
}

TEST(Product, ATreeAddsHalves) {
  const Accumulator tree{.group = 4, .order = Accumulator::Order::tree};
  // (2^24 + 1) + (1 + -2^24): the first sum loses its 1, the second is exact.
  EXPECT_EQ(plain(tree, {0x1p24f, 1, 1, -0x1p24f}), -0x1p24f + 1 + 0x1p24f);
  // In order, the first 1 is lost and the second too.
  EXPECT_EQ(plain({}, {0x1p24f, 1, 1, -0x1p24f}), 0);
}

TEST(Product, AlignedSumsKeepBitsBelowTheLargestExponent) {
  // Largest exponent 3 (8 <= 12 < 16), four bits: multiples of 1.
  Accumulator aligned{
      .kind = Kind::aligned, .group = 4, .bits = 4, .rounding = Accumulator::Rounding::truncate};
  EXPECT_EQ(plain(aligned, {12, 1.75f, -1.75f, 0.75f}), 12);
  EXPECT_EQ(plain(aligned, {12, 1.75f, 1.75f, 0.75f}), 14);
  aligned.rounding = Accumulator::Rounding::nearest;
  EXPECT_EQ(plain(aligned, {12, 1.75f, 1.75f, 0.75f}), 17);
  // The running sum 17 takes part: multiples of 2, ties to even: 16 + 2 + 0 (of 1).
  EXPECT_EQ(plain(aligned, {12, 1.75f, 1.75f, 0.75f, 2, 1}), 18);
}

TEST(Product, ScalesMultiplyTheSumOfASegment) {
  // Codes 127 and 63.5, which is 64; scale 2 / 127. Activations: codes 127, 127, scale 1 / 127.
  const testing::FloatMatrix matrix(1, 2, {2, 1});
  ProductNumerics n;
  n.weights = Operand{Format::int8, Scaling::channel};
  n.activations = Operand{Format::int8, Scaling::token};
  n.accumulator.kind = Kind::int32;
  const PreparedWeight weight(WeightView(matrix.tensor), n);
  std::vector<float> out(1);

  chip_product(n, {}, code_activations(*n.activations, n.overflow, std::vector<float>{1, 1}, 2),
               weight, out, 1);

  EXPECT_EQ(out[0], (127.0f * 127 + 64 * 127) * (2 / 127.0f * (1 / 127.0f)));
}

}  // namespace
}  // namespace presil
