#include "values/gemm.h"

#include <cmath>

#include <gtest/gtest.h>

#include "base/testing/numerics.h"

namespace presil {
namespace {

/// An fp32 matrix in memory.
struct Matrix {
  std::vector<float> values;
  WeightTensor tensor;

  Matrix(std::int64_t rows, std::int64_t columns, std::vector<float> v) : values(std::move(v)) {
    tensor.shape = {rows, columns};
    tensor.data = std::as_bytes(std::span(values));
  }
  WeightView view() const { return WeightView(tensor); }
};

std::vector<float> run(KTiling tiling, Epilogue epilogue, const std::vector<float>& input,
                       const std::vector<WeightView>& weights, std::vector<float> out) {
  const ProductNumerics numerics = testing::fp32_numerics().products;
  std::vector<PreparedWeight> prepared;
  for (const WeightView& w : weights) prepared.emplace_back(w, numerics);
  gemm(numerics, {}, tiling, epilogue, input, prepared, out);
  return out;
}

TEST(Gemm, PutsWeightsSideBySide) {
  const Matrix first(2, 2, {1, 2, 3, 4});
  const Matrix second(1, 2, {5, 6});

  const auto out =
      run({}, Epilogue::none, {1, 1, 10, 1}, {first.view(), second.view()}, std::vector<float>(6));

  EXPECT_EQ(out, (std::vector<float>{3, 7, 11, 12, 34, 56}));
}

TEST(Gemm, AddsToTheResidual) {
  const Matrix w(2, 2, {1, 0, 0, 1});
  EXPECT_EQ(run({}, Epilogue::add, {5, 6}, {w.view()}, {10, 20}), (std::vector<float>{15, 26}));
}

TEST(Gemm, GatesBySilu) {
  const Matrix gate(2, 1, {0, 1});
  const Matrix up(2, 1, {3, 4});

  const auto out = run({}, Epilogue::swiglu, {2}, {gate.view(), up.view()}, {0, 0});

  EXPECT_EQ(out[0], 0);  // silu(0) = 0
  EXPECT_NEAR(out[1], 2 / (1 + std::exp(-2.0)) * 8, 1e-6);
}

TEST(Gemm, AddsTilesInOrderAndCoresAfterwards) {
  // 2^24 + 1 is 2^24 in a float. In order: each 1 is lost, the 2 is not. By two cores: 2^24 + 1,
  // which is 2^24, and 1 + 2; their sum 2^24 + 3 is a tie and goes to 2^24 + 4.
  const Matrix w(1, 4, {0x1p24f, 1, 1, 2});
  const std::vector<float> ones(4, 1.0f);

  EXPECT_EQ(run({.tile = 1}, Epilogue::none, ones, {w.view()}, {0}).front(), 0x1p24f + 2);
  EXPECT_EQ(run({.tile = 1, .split = 2}, Epilogue::none, ones, {w.view()}, {0}).front(),
            0x1p24f + 4);
}

TEST(Gemm, RoundsOperandsToBf16) {
  const Matrix w(1, 1, {1 + 0x1p-8f});  // a tie: goes to 1
  std::vector<float> out(1);

  const ProductNumerics numerics = testing::bf16_numerics().products;
  gemm(numerics, {}, {}, Epilogue::none, std::vector<float>{1 + 3 * 0x1p-8f},
       std::vector{PreparedWeight(w.view(), numerics)}, out);

  EXPECT_EQ(out[0], 1 + 2 * 0x1p-7f);
}

TEST(Gemm, RoundsWhatItStores) {
  const Matrix w(1, 1, {1});
  const ProductNumerics numerics = testing::fp32_numerics().products;
  const std::vector<PreparedWeight> weights{PreparedWeight(w.view(), numerics)};
  std::vector<float> residual{1};

  gemm(numerics, StoreOptions{Format::bf16, nullptr}, {}, Epilogue::add,
       std::vector<float>{0x1p-8f}, weights, residual);

  EXPECT_EQ(residual[0], 1);  // 1 + 2^-8 is a tie between bf16 numbers and goes to 1
}

}  // namespace
}  // namespace presil
