#include "dram/run/simulate.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "chip/library.h"

namespace presil::dram {
namespace {

TEST(Simulate, RefusesAPseudoChannelThatIsNotMadeOfWholeLines) {
  SimulationInput input;
  input.part = load_part("hbm3-6400", {}, PRESIL_SOURCE_DIR);
  input.part.mapping = "row stack_id bank bank_group column";
  input.workload.atoms = 100;
  input.part.page = Bytes(32 * 3);
  input.part.stack_ids = input.part.bank_groups = 1;  // 4 banks x 3 atoms a row
  input.part.rows = 2;                                // 24 atoms: three lines of 256 B
  EXPECT_EQ(simulate(input).atoms, 100);
  input.part.rows = 3;  // 36 atoms: four and a half
  EXPECT_THROW(simulate(input), InputError);
}

}  // namespace
}  // namespace presil::dram
