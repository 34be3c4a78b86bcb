// What is scored is what `run` computes: one operator's time by the timeline, its DRAM simulated,
// against the scoreboard's, on rows of every operator, chip and engine.
#include "silicon/row_program.h"

#include <gtest/gtest.h>

#include "kernels/laws.h"
#include "silicon/predict.h"

namespace presil::silicon {
namespace {

constexpr int kRows = 50;

TEST(RowProgram, OneOperatorsTimeInRunIsItsScoredTime) {
  const std::filesystem::path home = PRESIL_SOURCE_DIR;
  const Cases cases(read_rows(home / "data" / "silicon"), 6 * kRows, home);
  const kernels::ConstantTable constants =
      kernels::read_constants(home / "software" / "constants.yaml");
  const Predictions scored = predict_with(cases, constants, {});
  int compared = 0;
  for (std::size_t i = 0; i < cases.all().size() && compared < kRows; ++i) {
    const Case& c = cases.all()[i];
    const Row& row = *c.row;
    // Host-timed rows, fp16 and other sources' loops have conditions that `run` does not offer.
    const bool has_conditions = row.source == "ai-dynamo/aiconfigurator" && row.dtype != "fp16";
    if (row.op == MeasuredOp::collective || !has_conditions) continue;
    kernels::Library library;
    library.machine = c.chip->machine;
    library.software.name = library.software.engine = row.backend;
    library.constants = constants;
    library.residency = kernels::Residency::cycling;
    const auto us = run_us(row, c.chip->files, &library);
    ASSERT_TRUE(std::holds_alternative<double>(us)) << std::get<std::string>(us);
    // The scoreboard jumps whole refresh periods of DRAM; half a per cent covers a cut one.
    EXPECT_NEAR(std::get<double>(us) / scored.us[i], 1, 0.005)
        << to_string(row.op) << " " << row.chip << " " << row.backend << " " << row.dtype << " m "
        << row.m << " n " << row.n << " k " << row.k << " batch " << row.batch << " seq " << row.seq
        << " context " << row.context << " heads " << row.heads << "/" << row.kv_heads;
    ++compared;
  }
  EXPECT_EQ(compared, kRows);
}

}  // namespace
}  // namespace presil::silicon
