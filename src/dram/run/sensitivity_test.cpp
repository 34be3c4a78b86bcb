#include "dram/run/sensitivity.h"

#include <algorithm>
#include <atomic>
#include <cmath>

#include <gtest/gtest.h>

#include "chip/library.h"
#include "dram/run/figures.h"

namespace presil::dram {
namespace {

DramFiles files() {
  return load_dram("hbm3-6400", "", {}, PRESIL_SOURCE_DIR);
}

TEST(Sensitivity, VariesWhatTheFileCallsAnEstimate) {
  const std::vector<std::string> names = estimated_timings(files().part);
  const auto has = [&](const char* name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  EXPECT_TRUE(has("tFAW"));    // by its group, timing
  EXPECT_FALSE(has("tREFI"));  // found
  EXPECT_FALSE(has("tRFCab"));
}

TEST(Sensitivity, ScalesATimeOrElseItsClocksAwayFromWhatTheyWere) {
  const MemoryPart part = files().part;
  EXPECT_EQ(with_scaled_timing(part, "tFAW", 1.2).tFAW.time, Picoseconds(18'000));  // of 15 ns
  EXPECT_EQ(with_scaled_timing(part, "tFAW", 1.2).tRP.time, part.tRP.time);
  EXPECT_EQ(with_scaled_timing(part, "tPPD", 1.2).tPPD.min_cycles, 3);  // of 2
  EXPECT_EQ(with_scaled_timing(part, "tPPD", 0.8).tPPD.min_cycles, 1);
  // Two bursts of 2 CK are never less than 2 CK apart.
  EXPECT_EQ(with_scaled_timing(part, "tCCDS", 0.8).tCCDS.min_cycles, 2);
  EXPECT_EQ(with_scaled_timing(part, "tCCDR", 0.1).tCCDR.min_cycles, 2);
}

TEST(Sensitivity, OfShortRandomReadsIsMostlyThatOfTheFourActivateWindow) {
  const DramFiles f = files();
  SimulationInput input;
  input.part = f.part;
  input.config = f.dram;
  input.workload.pattern = Workload::Pattern::random;
  input.workload.atoms = 40'000;
  const SimulationResult base = simulate(input);
  std::atomic<std::size_t> runs = 0;
  const std::vector<Sensitivity> lines = sensitivity(input, base, 0.2, [&] { ++runs; });

  EXPECT_EQ(runs, 2 * lines.size());
  EXPECT_EQ(lines.size(), estimated_timings(f.part).size());
  EXPECT_EQ(lines.front().timing, "tFAW");
  EXPECT_EQ(lines.front().clocks, 24);  // 15 ns at 1.6 GHz; 12 ns and 18 ns:
  EXPECT_EQ(lines.front().shorter.clocks, 20);
  EXPECT_EQ(lines.front().longer.clocks, 29);
  EXPECT_GT(lines.front().shorter.bandwidth, 0.05);
  EXPECT_LT(lines.front().longer.bandwidth, -0.05);
  EXPECT_GT(lines.front().longer.latency, 0.05);
  // Reads only: what writes wait for moves nothing.
  for (const Sensitivity& s : lines) {
    if (s.timing != "tWR") continue;
    EXPECT_EQ(s.longer.bandwidth, 0);
    EXPECT_EQ(s.longer.latency, 0);
  }
}

}  // namespace
}  // namespace presil::dram
