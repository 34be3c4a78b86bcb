#include "dram/run/load_curve.h"

#include <algorithm>
#include <atomic>

#include <gtest/gtest.h>

#include "chip/library.h"
#include "dram/run/figures.h"

namespace presil::dram {
namespace {

SimulationInput input_of(const char* pattern) {
  DramFiles files = load_dram("hbm3-6400", "", {}, PRESIL_SOURCE_DIR);
  SimulationInput input;
  input.part = files.part;
  input.config = files.dram;
  input.workload.atoms = 40'000;
  parse_pattern(pattern, input.workload);
  return input;
}

TEST(LoadCurve, LoadsRiseThroughWhatIsServedToThePeak) {
  for (const double most : {0.3, 0.9, 1.0}) {
    const std::vector<double> loads = curve_loads(most);
    EXPECT_TRUE(std::is_sorted(loads.begin(), loads.end()));
    EXPECT_GT(loads.front(), 0);
    EXPECT_EQ(loads.back(), 1);
    EXPECT_NE(std::find(loads.begin(), loads.end(), most), loads.end());
  }
}

TEST(LoadCurve, ServesWhatIsOfferedUntilItCannotAndWaitsEverLonger) {
  SimulationInput input = input_of("random");
  input.workload.writes = parse_write_share("1/3");
  const SimulationResult most = simulate(input);
  std::atomic<int> done = 0;
  const std::vector<LoadPoint> curve = load_curve(input, most, [&] { ++done; });

  EXPECT_EQ(static_cast<std::size_t>(done), curve.size());
  for (std::size_t i = 0; i < curve.size(); ++i) {
    const LoadPoint& p = curve[i];
    EXPECT_LE(p.p50, p.p99);
    EXPECT_LE(p.p99, p.most);
    EXPECT_GT(p.mean, i == 0 ? Seconds(0) : curve[i - 1].mean) << p.load;
    // All but the first of 20,000 requests come at intervals; the run ends a latency after the
    // last.
    const double share_served = p.served / p.offered;
    EXPECT_LE(share_served, 20'000.0 / 19'999) << p.load;
    EXPECT_GT(share_served, p.load < 0.9 * efficiency(most) ? 0.99 : 0.3) << p.load;
    EXPECT_EQ(p.saturated, p.load > efficiency(most));
  }
  EXPECT_TRUE(curve.back().saturated);
  EXPECT_NEAR(curve.back().served / bandwidth(most), 1, 0.05);
}

}  // namespace
}  // namespace presil::dram
