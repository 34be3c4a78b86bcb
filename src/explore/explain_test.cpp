#include "explore/explain.h"

#include <algorithm>

#include <gtest/gtest.h>

namespace presil {
namespace {

const Places kPlaces{PRESIL_SOURCE_DIR, PRESIL_SOURCE_DIR};

Explanation decode_on_a_wide_artemis() {
  RunRequest r;
  r.chip = "artemis-hbm3e-wide";
  r.model = "llama-3.2-1b";
  r.phase = PhaseChoice::decode;
  return explain(r, kPlaces).value();
}

const Change& change(const PhaseExplanation& phase, const std::string& what) {
  const auto found = std::find_if(phase.changes.begin(), phase.changes.end(),
                                  [&](const Change& c) { return c.what == what; });
  EXPECT_NE(found, phase.changes.end()) << what;
  return *found;
}

TEST(Explain, TheCriticalPathAndTheSharesAreTheWholeTime) {
  const Explanation e = decode_on_a_wide_artemis();
  const PhaseExplanation& p = e.phases.at(0);
  double path = 0;
  for (const PathEntry& k : p.path) path += k.share;
  double shares = 0;
  for (const auto& [resource, share] : p.shares) shares += share;
  EXPECT_NEAR(path, 1, 1e-9);
  EXPECT_NEAR(shares, 1, 1e-9);
}

TEST(Explain, AChangeBuysWhatARunWithItTakes) {
  const Explanation e = decode_on_a_wide_artemis();
  const Change& c = change(e.phases.at(0), "twice the DRAM stacks");
  RunRequest same = e.run.request;
  same.overrides.insert(same.overrides.end(), c.settings.begin(), c.settings.end());
  const RunResult by_hand = run(same, kPlaces).value();
  EXPECT_EQ(c.time_s, to_seconds(by_hand.phases.at(0).timeline.total).count());
  EXPECT_GT(c.speedup, 1) << "decoding one sequence reads every weight";
}

TEST(Explain, TheBestChangeComesFirst) {
  const Explanation e = decode_on_a_wide_artemis();
  const auto& changes = e.phases.at(0).changes;
  for (std::size_t i = 1; i < changes.size() && changes[i].feasible; ++i) {
    EXPECT_GE(changes[i - 1].speedup, changes[i].speedup);
  }
}

}  // namespace
}  // namespace presil
