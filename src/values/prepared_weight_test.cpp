#include "values/prepared_weight.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "values/number/number.h"
#include "values/testing/drawn_numbers.h"

namespace presil {
namespace {

constexpr Operand kBlocks{Format::fp8_e4m3, Scaling::block_128};
constexpr Operand kGroups{Format::fp8_e4m3, Scaling::group_128};

ProductNumerics numerics(Operand weights, Operand activations) {
  ProductNumerics n;
  n.weights = weights;
  n.activations = activations;
  return n;
}

struct Row {
  std::vector<float> codes, scales;
};

Row row_of(const PreparedWeight& weight, std::int64_t row, std::size_t n_scales = 1) {
  Row out{std::vector<float>(static_cast<std::size_t>(weight.view().columns())),
          std::vector<float>(n_scales)};
  weight.code_row(row, weight.view().row(row), out.codes, out.scales);
  return out;
}

TEST(PreparedWeight, FindsOneScaleForARow) {
  const testing::FloatMatrix matrix(2, 3, {254, -127, 3, 0, 0, 0});
  const PreparedWeight weight(WeightView(matrix.tensor), numerics({Format::int8, Scaling::channel},
                                                                  {Format::int8, Scaling::token}));

  EXPECT_EQ(row_of(weight, 0).scales.front(), 2);
  EXPECT_EQ(row_of(weight, 0).codes, (std::vector<float>{127, -64, 2}));  // ties to even
  EXPECT_EQ(row_of(weight, 1).scales.front(), 1);                         // of zeros
}

TEST(PreparedWeight, FindsOneScaleForABlockOfRowsAndColumns) {
  testing::FloatMatrix matrix(130, 130, std::vector<float>(130 * 130, 1.0f));
  matrix.values[5 * 130 + 129] = 448;   // rows 0 to 127, columns 128 and 129
  matrix.values[129 * 130 + 3] = -896;  // rows 128 and 129, columns 0 to 127
  const PreparedWeight weight(WeightView(matrix.tensor), numerics(kBlocks, kGroups));

  EXPECT_EQ(row_of(weight, 100, 2).scales, (std::vector<float>{1.0f / 448, 1}));
  EXPECT_EQ(row_of(weight, 128, 2).scales, (std::vector<float>{2, 1.0f / 448}));
}

TEST(PreparedWeight, MultipliesColumnsBySmoothingBeforeItLooksForScales) {
  const testing::FloatMatrix matrix(1, 2, {1, 127});
  const std::vector<float> smoothing{254, 1};
  const PreparedWeight weight(
      WeightView(matrix.tensor),
      numerics({Format::int8, Scaling::channel}, {Format::int8, Scaling::token}), smoothing);

  EXPECT_EQ(row_of(weight, 0).scales.front(), 2);
  EXPECT_EQ(row_of(weight, 0).codes, (std::vector<float>{127, 64}));  // 63.5: to even
}

TEST(PreparedWeight, KeepsCodesAndScalesThatAreStoredAsWanted) {
  std::vector<std::uint8_t> codes(2 * 256);
  for (std::size_t i = 0; i < codes.size(); ++i) codes[i] = static_cast<std::uint8_t>(i % 0x70);
  WeightTensor tensor;
  tensor.format = Format::fp8_e4m3;
  tensor.shape = {2, 256};
  tensor.data = std::as_bytes(std::span(codes));
  tensor.scaling = Scaling::block_128;
  tensor.scales = {0.3f, 0.7f};  // not what a search would find
  const PreparedWeight weight(WeightView(tensor), numerics(kBlocks, kGroups));

  const Row row = row_of(weight, 1, 2);

  EXPECT_EQ(row.scales, tensor.scales);
  for (std::size_t i = 0; i < row.codes.size(); ++i) {
    EXPECT_EQ(row.codes[i], decode_number(Format::fp8_e4m3, codes[256 + i]));
  }
}

TEST(PreparedWeight, Bf16PassesUnchanged) {
  const std::vector<std::uint16_t> bits{0x3F80, 0xC0A1, 0x0001, 0x7F7F};
  WeightTensor tensor;
  tensor.format = Format::bf16;
  tensor.shape = {1, 4};
  tensor.data = std::as_bytes(std::span(bits));
  const PreparedWeight weight(WeightView(tensor), numerics({Format::bf16}, {Format::bf16}));
  std::vector<float> stored(4);
  weight.view().to_floats(0, weight.view().row(0), stored);

  EXPECT_EQ(row_of(weight, 0).codes, stored);
}

TEST(PreparedWeight, WeightOnlyQuantisationMultipliesFloatsOfTheActivations) {
  const testing::FloatMatrix matrix(1, 2, {7.3f, 1});
  const PreparedWeight weight(WeightView(matrix.tensor),
                              numerics({Format::int4, Scaling::group_128}, {Format::bf16}));
  const float scale = 7.3f / 7;

  EXPECT_EQ(weight.scaling(), Scaling::none);
  EXPECT_EQ(row_of(weight, 0).scales.front(), 1);
  for (const float code : {7.0f, 1.0f}) {
    const float rounded = round_number(Format::bf16, Overflow::saturate, code * scale);
    EXPECT_EQ(row_of(weight, 0).codes[code == 7 ? 0 : 1], rounded);
  }
}

TEST(PreparedWeight, StoredFloatsAreRoundedToTheActivationsFormat) {
  const testing::FloatMatrix matrix(1, 1, {1 + 0x1p-9f});
  ProductNumerics as_stored;
  as_stored.activations = Operand{Format::bf16};
  EXPECT_EQ(row_of(PreparedWeight(WeightView(matrix.tensor), as_stored), 0).codes.front(), 1);
}

}  // namespace
}  // namespace presil
