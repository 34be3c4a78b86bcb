// Why a run takes as long as it does, and what would change that: the critical path, what bound it,
// and the same run simulated again on a chip with one thing changed.
#pragma once

#include <string>
#include <vector>

#include "explore/run.h"

namespace presil {

/// Kernels of one name in a phase's last step; kernels follow each other, so they are its path.
struct PathEntry {
  std::string kernel;
  std::int64_t count = 0;
  double time_s = 0;
  double share = 0;      // of the step
  std::string bound_by;  // what most of that time was charged to
};

/// One thing changed, and the time of the whole phase then.
struct Change {
  std::string what;                   // "twice the DRAM bandwidth"
  std::vector<std::string> settings;  // that make it: --set, --tp, --dtype
  bool feasible = true;
  std::string reason;  // why not
  double time_s = 0;
  double speedup = 1;
  double usd_per_chip = 0;  // typical
};

struct PhaseExplanation {
  std::string phase;
  double time_s = 0, time_low_s = 0, time_high_s = 0;
  std::vector<std::pair<std::string_view, double>> shares;  // of time, by resource, largest first
  std::vector<PathEntry> path;                              // longest first
  std::vector<Change> changes;                              // fastest first
};

struct Explanation {
  RunResult run;
  std::vector<PhaseExplanation> phases;
};

/// Runs `request` for its cycles, and again with each change that its chip can have. Throws as
/// run() does.
Feasible<Explanation> explain(RunRequest request, const Places& places);

}  // namespace presil
