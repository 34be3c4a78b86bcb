#include "report/perfetto.h"

#include <map>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace presil {
namespace {

const Places kPlaces{PRESIL_SOURCE_DIR, PRESIL_SOURCE_DIR};

TEST(Perfetto, SpansOfATrackFollowEachOtherAndLieWithinThePhase) {
  for (const char* chip : {"artemis-hbm3e", "h100-sxm"}) {
    RunRequest request;
    request.chip = chip;
    request.model = "smollm2-135m";
    request.phase = PhaseChoice::decode;
    request.record_transfers = true;
    const RunResult result = run(request, kPlaces).value();
    const double end = to_seconds(result.phases.at(0).timeline.total).count() * 1e6;
    const auto trace = perfetto_trace(result);
    std::map<int, double> until;
    std::map<int, int> spans;
    for (const auto& event : trace.at("traceEvents")) {
      if (event.at("ph") != "X") continue;
      const int track = event.at("tid");
      EXPECT_GE(event.at("ts").get<double>(), until[track] - 1e-6) << chip << " track " << track;
      until[track] = event.at("ts").get<double>() + event.at("dur").get<double>();
      EXPECT_LE(until[track], end + 1e-6) << chip << " track " << track;
      ++spans[track];
    }
    EXPECT_EQ(spans[1], static_cast<int>(result.phases.at(0).timeline.kernels.size())) << chip;
    EXPECT_GT(spans[20], 0) << chip << ": DRAM reads";
  }
}

}  // namespace
}  // namespace presil
