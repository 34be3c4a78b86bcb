#include "explore/sweep.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/testing/scratch.h"

namespace presil {
namespace {

TEST(Sweep, AnAxisIsAKeyAndItsValues) {
  const SweepAxis axis = parse_axis("dram.stacks=2,4,6");
  EXPECT_EQ(axis.key, "dram.stacks");
  EXPECT_EQ(axis.values, (std::vector<std::string>{"2", "4", "6"}));
  EXPECT_EQ(parse_axis("dram.rate=6.4 Gb/s").values, (std::vector<std::string>{"6.4 Gb/s"}));
}

TEST(Sweep, AnAxisWithoutKeyOrValueIsRefused) {
  for (const char* argument : {"dram.stacks", "dram.stacks=", "=2,4", ""}) {
    EXPECT_THROW(parse_axis(argument), InputError) << argument;
  }
}

TEST(Sweep, AGridThatIsTooLargeIsRefusedBeforeAnythingRuns) {
  SweepAxis axis{"dram.stacks", std::vector<std::string>(1000, "2")};
  Store store(testing::scratch_folder() / "sweep_too_large.sqlite");
  std::int64_t reused = 0;
  EXPECT_THROW(sweep({}, {axis, axis}, {}, store, reused), InputError);  // a million points
}

Json decode_point(double tokens_per_s, double usd) {
  return {{"status", "ok"},
          {"phases", {{"decode", {{"tokens_per_s", tokens_per_s}}}}},
          {"cost", {{"usd_per_mtoken", usd}}}};
}

TEST(Pareto, KeepsWhatNoOtherBeatsInSpeedAndPrice) {
  const Json points = {decode_point(100, 1.0),  // cheapest
                       decode_point(200, 2.0),  // fastest
                       decode_point(150, 2.5),  // slower and dearer than 1
                       decode_point(100, 1.5),  // as fast as 0, dearer
                       Json{{"status", "infeasible"}, {"reason", "too large"}},
                       decode_point(200, 2.0)};  // equal to 1: neither beats
  EXPECT_EQ(pareto(points), (std::vector<std::size_t>{0, 1, 5}));
}

TEST(Pareto, WithoutDecodeComparesTimeAndEnergyOfPrefill) {
  const auto prefill = [](double time, double energy) {
    return Json{{"status", "ok"},
                {"phases", {{"prefill", {{"time_s", time}, {"energy_j", energy}}}}}};
  };
  EXPECT_EQ(pareto({prefill(1, 5), prefill(2, 4), prefill(2, 5)}),
            (std::vector<std::size_t>{0, 1}));
}

}  // namespace
}  // namespace presil
