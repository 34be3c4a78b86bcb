#include "kernels/constants.h"

#include <gtest/gtest.h>

namespace presil::kernels {
namespace {

constexpr ConstantInfo kConstants[] = {
    {"prologue_cycles", 500, 0, 9000, kEngine | kKernel, "of a CTA"}};
const LawInfo kLaw{"decode", kConstants};

TEST(Constants, AKernelNobodyMeasuredIsLikeItsFamily) {
  ConstantTable table;
  table.set("decode", "prologue_cycles", "trtllm * * mmha", 1000);
  table.set("decode", "prologue_cycles", "trtllm * * xqa", 4000);
  std::vector<std::string> borrowed;
  EXPECT_EQ(table.values(kLaw, {"trtllm", "bf16", "wgmma", "xqa_async"}, &borrowed).front(), 4000);
  EXPECT_EQ(borrowed.front(), "prologue_cycles from trtllm * * xqa");
  EXPECT_EQ(table.values(kLaw, {"trtllm", "bf16", "wgmma", "mmha_two"}).front(), 1000);
  // Another engine's kernel of the same name is nearer than the same engine's of the family.
  table.set("decode", "prologue_cycles", "vllm * * xqa_async", 2000);
  EXPECT_EQ(table.values(kLaw, {"trtllm", "bf16", "wgmma", "xqa_async"}).front(), 2000);
}

TEST(Constants, ALawThatNobodyFittedHasItsFirstGuesses) {
  EXPECT_EQ(ConstantTable().values(kLaw, {"trtllm", "bf16", "wgmma", "xqa"}).front(), 500);
}

}  // namespace
}  // namespace presil::kernels
