// What is scored is what `run` computes: one operator's program, timed by cycles with the same
// kernel library, takes as long as the scoreboard says.
#include <gtest/gtest.h>

#include "cycles/timeline.h"
#include "kernels/library.h"
#include "silicon/cases.h"
#include "silicon/row_program.h"

namespace presil::silicon {
namespace {

constexpr std::int64_t kRows = 100;  // of which some are of collectives

double run_us(const Case& c, const kernels::ConstantTable& constants) {
  const auto made = program_of(*c.row, c.chip->files);
  const auto* one = std::get_if<RowProgram>(&made);
  if (one == nullptr) {
    ADD_FAILURE() << std::get<std::string>(made);
    return 0;
  }
  kernels::Library library;
  library.machine = c.chip->machine;
  library.software.engine = c.row->backend;
  library.constants = constants;
  library.residency = kernels::Residency::cycling;
  CyclesOptions options;
  options.library = &library;
  const auto bound = bind(one->program, one->step);
  const Timeline t = time_step(*bound, c.chip->files.chip, c.chip->files.memory, options);
  return static_cast<double>(t.total.count()) / 1e6;
}

TEST(ScoredTime, IsTheTimeOfARun) {
  const std::filesystem::path home = PRESIL_SOURCE_DIR;
  const kernels::ConstantTable constants =
      kernels::read_constants(home / "software/constants.yaml");
  const Cases cases(read_rows(home / "data/silicon"), kRows, home);
  int compared = 0;
  for (const Case& c : cases.all()) {
    const bool looped = c.row->source == "ai-dynamo/aiconfigurator";
    if (c.row->op == MeasuredOp::collective || !looped) continue;
    const double scored = kernels::total_us(
        c.law.terms(constants.values(law_of(c.row->op), c.law.situation), c.dram_us), c.dram_us);
    // Whole periods of the memory are added, not simulated, in one of the two.
    EXPECT_NEAR(run_us(c, constants), scored, 0.01 * scored)
        << to_string(c.row->op) << " " << c.row->chip << " " << c.row->backend << " "
        << c.row->dtype << " m " << c.row->m << " n " << c.row->n << " k " << c.row->k << " batch "
        << c.row->batch << " seq " << c.row->seq << " context " << c.row->context;
    ++compared;
  }
  EXPECT_GE(compared, 50);
}

}  // namespace
}  // namespace presil::silicon
