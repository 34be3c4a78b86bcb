#include "silicon/score.h"

#include <algorithm>
#include <cmath>
#include <fstream>

#include <gtest/gtest.h>

#include "base/error.h"
#include "silicon/expected.h"
#include "silicon/verify.h"

namespace presil::silicon {
namespace {

namespace fs = std::filesystem;

const fs::path kHome = PRESIL_SOURCE_DIR;
constexpr const char* kHeader = "source,chip,backend,kernel,op,dtype,m,n,k,latency_us\n";

class ScoreTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) /
              testing::UnitTest::GetInstance()->current_test_info()->name();
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name) << text;
  }
  Cases cases(std::int64_t sample = 0) const { return Cases(read_rows(folder_), sample, kHome); }

  fs::path folder_;
};

/// Products of one chip whose times are all 100 us.
std::string products(const std::string& chip, int count) {
  std::string text;
  for (int i = 1; i <= count; ++i) {
    text += chip + ",trtllm,torch_flow,gemm,bf16,4096," + std::to_string(1024 * i) + ",4096,100\n";
    text.insert(text.rfind(chip + ",trtllm"), "somebody,");
  }
  return text;
}

TEST_F(ScoreTest, ErrorsAreOfTheMeasuredTime) {
  write("gemm.csv", kHeader + products("H100-SXM-80GB", 10));
  const Cases c = cases();
  ASSERT_EQ(c.all().size(), 10U);
  // 1, 2, ... 10 percent off, the first five above and the others below.
  Predictions p{
      std::vector<double>(10), std::vector<double>(10, 150), std::vector<kernels::Regime>(10), {}};
  for (std::size_t i = 0; i < 10; ++i) {
    const double off = static_cast<double>(i + 1);
    p.us[i] = i < 5 ? 100 + off : 100 - off;
  }
  const Scoreboard board = score(c, p, 20);
  ASSERT_EQ(board.headline.size(), 1U);
  const Errors& e = board.headline.front().errors;
  EXPECT_EQ(e.rows, 10);
  EXPECT_NEAR(e.mape, 5.5, 1e-9);
  EXPECT_NEAR(e.median_ape, 5, 1e-9);
  EXPECT_NEAR(e.p90_ape, 9, 1e-9);
  EXPECT_NEAR(e.bias, (15.0 - 40.0) / 10, 1e-9);
  EXPECT_NEAR(e.roofline_mape, 50, 1e-9);
}

TEST_F(ScoreTest, GroupsAreDisjointAndAllRows) {
  SiliconRequest request;
  request.data = kHome / "data/silicon";
  request.sample = 400;
  const SiliconReport report = verify_silicon(request, kHome);
  std::int64_t rows = 0;
  for (const Score& s : report.board.scores) {
    rows += s.errors.rows + s.skipped;
    if (s.op == "attention_decode") {
      EXPECT_TRUE(s.regime.starts_with("long") || s.regime.starts_with("short")) << s.regime;
    }
  }
  EXPECT_EQ(rows, 400);
}

TEST_F(ScoreTest, ASampleDoesNotDependOnTheOrderOfRows) {
  const std::string a = products("H100-SXM-80GB", 40), b = products("A100-SXM-80GB", 40);
  const auto names = [&](const std::string& text) {
    write("gemm.csv", kHeader + text);
    const Cases c = cases(20);
    std::vector<std::uint64_t> hashes;
    for (const Case& one : c.all()) hashes.push_back(one.hash);
    std::sort(hashes.begin(), hashes.end());
    return hashes;
  };
  EXPECT_EQ(names(a + b), names(b + a));
  EXPECT_EQ(names(a + b).size(), 20U);
}

TEST_F(ScoreTest, AChipWithoutAFileIsSkippedWithTheReason) {
  write("gemm.csv", kHeader + products("H100-SXM-80GB", 1) + products("Nimbus-9", 2) +
                        products("../chips/h100-sxm.yaml", 1));
  const Cases c = cases();
  EXPECT_EQ(c.all().size(), 1U);
  ASSERT_EQ(c.skipped().size(), 2U);
  EXPECT_EQ(c.skipped().rbegin()->first.reason, "no chip file has the alias Nimbus-9");
  EXPECT_EQ(c.skipped().rbegin()->second, 2);
}

TEST_F(ScoreTest, FoldsPredictEveryRowAndAChipLeftOutItsOwn) {
  write("gemm.csv", kHeader + products("H100-SXM-80GB", 12) + products("A100-SXM-80GB", 12));
  const Cases c = cases();
  const FitLimits quick{100, 2};
  const Predictions folds = predict_folds(c, 3, quick);
  const Predictions left = predict_left_out(c, "A100-SXM-80GB", quick);
  for (std::size_t i = 0; i < c.all().size(); ++i) {
    EXPECT_GT(folds.us[i], 0);
    EXPECT_EQ(std::isnan(left.us[i]), c.all()[i].row->chip != "A100-SXM-80GB");
  }
  EXPECT_EQ(left.fitted_on, std::vector<std::string>{"gemm: H100-SXM-80GB, 12 rows"});
  EXPECT_THROW(predict_left_out(c, "B200", quick), InputError);
}

TEST_F(ScoreTest, AGroupThatGotWorseIsNamed) {
  Scoreboard board;
  board.scores.push_back(
      {"gemm", "gemm", "H100", "bf16", "bf16", "vllm", "memory", {100, 10, 8, 20, 1, 30}, 0});
  const fs::path file = folder_ / "expected.csv";
  std::ofstream(file) << print_expected(board);
  EXPECT_TRUE(worse_than(file, board).empty());
  board.scores.front().errors.mape = 11.9;  // 10 and a tenth of it and a point are 12
  EXPECT_TRUE(worse_than(file, board).empty());
  board.scores.front().errors.mape = 12.1;
  ASSERT_EQ(worse_than(file, board).size(), 1U);
  EXPECT_NE(worse_than(file, board).front().find("12.1 % off, expected 10.0 %"), std::string::npos);
}

}  // namespace
}  // namespace presil::silicon
