#include "chip/dram_energy.h"

#include <gtest/gtest.h>

namespace presil {
namespace {

TEST(DramEnergy, IsTheEventsTimesThePartsTable) {
  MemoryPart part;
  part.stack_ids = 2;
  part.bank_groups = 4;
  part.banks = 4;  // 32 in all
  part.act_pre = {700e-12, 909e-12, 1200e-12};
  part.read_bit = {3e-12, 3.5e-12, 4e-12};
  part.write_bit = {2e-12, 2.5e-12, 3e-12};
  part.refresh_all = {29e-9, 58e-9, 90e-9};
  part.background = {0.015, 0.03, 0.06};

  const DramEnergy e = dram_energy(part, {.ACT = 10,
                                          .REFab = 3,
                                          .REFpb = 64,
                                          .read = Bytes(1000),
                                          .written = Bytes(500),
                                          .background_s = 2});

  EXPECT_DOUBLE_EQ(e.rows.low, 10 * 700e-12);
  EXPECT_DOUBLE_EQ(e.read.typical, 8000 * 3.5e-12);
  EXPECT_DOUBLE_EQ(e.write.high, 4000 * 3e-12);
  EXPECT_DOUBLE_EQ(e.refresh.typical, (3 + 64 / 32.0) * 58e-9);  // 32 REFpb are one REFab
  EXPECT_DOUBLE_EQ(e.background.typical, 2 * 0.03);
  EXPECT_DOUBLE_EQ(e.total().typical,
                   10 * 909e-12 + 8000 * 3.5e-12 + 4000 * 2.5e-12 + 5 * 58e-9 + 0.06);
}

}  // namespace
}  // namespace presil
