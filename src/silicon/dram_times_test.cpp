#include "silicon/dram_times.h"

#include <filesystem>

#include <gtest/gtest.h>

#include "chip/library.h"

namespace presil::silicon {
namespace {

TEST(DramTimes, PeriodsLeftOutChangeNothingThatMatters) {
  for (const char* chip : {"a100-sxm-80gb", "h100-sxm"}) {
    const ChipFiles files = load_chip(chip, {}, std::filesystem::path(PRESIL_SOURCE_DIR));
    DramTimes times(files.memory, files.chip.dram);
    for (const double read : {3e6, 17e6, 50e6, 123e6, 500e6}) {
      for (const double written : {0.0, 0.07, 1.0, 1.6}) {
        const kernels::Traffic traffic{read, read * written};
        const double all = times.simulated_us(traffic);
        EXPECT_NEAR(times.us(traffic), all, 0.006 * all) << chip << " " << read << " " << written;
      }
    }
  }
}

TEST(DramTimes, NoBytesTakeNoTime) {
  const ChipFiles files = load_chip("h100-sxm", {}, std::filesystem::path(PRESIL_SOURCE_DIR));
  DramTimes times(files.memory, files.chip.dram);
  EXPECT_EQ(times.us({0, 0}), 0);
  EXPECT_GT(times.us({1, 0}), 0);
}

}  // namespace
}  // namespace presil::silicon
