#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/testing/scratch.h"
#include "kernels/constants.h"

namespace presil::kernels {
namespace {

constexpr ConstantInfo kConstants[] = {{"start_us", 5, 0, 50, kEngine | kType, "paid once"},
                                       {"share", 0.8, 0.1, 1, kNothing, "of the peak"}};
const LawInfo kLaw{"gemm", kConstants};

std::filesystem::path write(const std::string& text) {
  const std::filesystem::path file = testing::scratch_folder() / "test.yaml";
  std::ofstream(file) << text;
  return file;
}

std::string complaint(const std::string& text) {
  try {
    read_constants(write(text), {&kLaw, 1});
  } catch (const InputError& e) {
    return render(e.diagnostics().front());
  }
  return "none";
}

TEST(ConstantsFile, WhatIsPrintedIsRead) {
  ConstantTable table;
  table.set("gemm", "start_us", "trtllm fp8 * *", 12.75);
  table.set("gemm", "start_us", "vllm bf16 * *", 3);
  table.set("gemm", "share", "* * * *", 0.8625);
  table.fitted_on = {"A100: 12 rows"};
  const std::string text = print_constants(table, {&kLaw, 1});
  const ConstantTable read = read_constants(write(text), {&kLaw, 1});
  EXPECT_EQ(read.all(), table.all());
  EXPECT_EQ(read.fitted_on, table.fitted_on);
  EXPECT_EQ(print_constants(read, {&kLaw, 1}), text);
}

TEST(ConstantsFile, WhatIsWrongIsNamedWithItsPlace) {
  const std::string head = "presil: constants/1\n";
  EXPECT_NE(complaint(head + "gemm:\n  stat_us: {\"* * * *\": 1}\n")
                .find("gemm has no constant 'stat_us'; did you mean 'start_us'?"),
            std::string::npos);
  EXPECT_NE(complaint(head + "gemm:\n  share: {\"* * * *\": 1.5}\n")
                .find("share: 1.5 is not from 0.1 to 1"),
            std::string::npos);
  EXPECT_NE(complaint(head + "gemm:\n  share: {\"all\": 0.5}\n").find("a scope of four words"),
            std::string::npos);
  EXPECT_NE(complaint(head + "gemm:\n  share: {\"* * * *\": fast}\n").find(":3:"),
            std::string::npos);
  EXPECT_NE(complaint(head + "conv: {}\n").find("conv"), std::string::npos);
}

}  // namespace
}  // namespace presil::kernels
