#include "explore/numerics_table.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/testing/numerics.h"
#include "chip/library.h"

namespace presil {
namespace {

Json row(double kl, double speed) {
  return {{"mean_kl", kl}, {"decode_tokens_per_s", speed}};
}

TEST(NumericsTable, TheFrontIsWhatNoOtherBeatsInBothQualityAndSpeed) {
  const Json rows = {row(0, 10),         row(0.01, 20),
                     row(0.02, 15),       // worse and slower than the one before
                     row(0.01, 20),       // as good: both stay
                     {{"mean_kl", 0.0}},  // has no speed
                     row(0.5, 30)};

  EXPECT_EQ(quality_front(rows), (std::vector<std::size_t>{0, 1, 3, 5}));
}

TEST(NumericsTable, AChipThatDoesNotMultiplyTheFormatIsNamedWithIt) {
  const Chip chip = load_chip("h100-sxm", {}, PRESIL_SOURCE_DIR).chip;
  Program program;
  Kernel product;
  product.op = Op::gemm;
  product.weights = {0};
  program.tensors.resize(1);
  program.blocks = {{"layer", 1, {product}}};

  program.numerics = testing::fp32_numerics();
  EXPECT_EQ(why_not_native(program, chip), "h100-sxm does not multiply fp32");
  program.numerics = testing::bf16_numerics();
  EXPECT_EQ(why_not_native(program, chip), "");
  program.numerics = testing::ggml_numerics();  // integer products of blocks
  program.tensors[0].format = Format::q4_1;
  EXPECT_EQ(why_not_native(program, chip), "");
}

TEST(NumericsTable, SettingsOfNumericsAreRefused) {
  NumericsTableRequest request;
  request.run.overrides = {"numerics.stream=fp32"};
  EXPECT_THROW(numerics_table(request, {PRESIL_SOURCE_DIR, PRESIL_SOURCE_DIR}), InputError);
}

}  // namespace
}  // namespace presil
