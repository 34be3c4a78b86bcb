// How far a step table is off in the very run that it was used in: some of the run's steps are kept
// with all their sequences, and timed again without the table.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/error.h"
#include "cycles/resource.h"
#include "explore/deployment.h"
#include "serving/engine/replica.h"

namespace presil {

struct SampledStep {
  std::vector<serving::StepSequence> sequences;
  serving::StepCost cost;  // that the run took for it, the draft's steps included
  int replica = 0;
};

/// Keeps up to a number of steps, evenly over all of a run, however long it turns out. Ask wants()
/// before a step and hand it to keep() after it. Deterministic.
class StepSample {
 public:
  explicit StepSample(std::size_t most = 32) : most_(most) {}

  /// Counts a step: whether its sequences are to be listed.
  bool wants() { return seen_++ % stride_ == 0; }

  /// Steps that list no sequences are passed over.
  void keep(const serving::StepRecord& record);

  const std::vector<SampledStep>& steps() const { return steps_; }

 private:
  std::size_t most_;
  std::int64_t seen_ = 0, stride_ = 1;
  std::vector<SampledStep> steps_;
};

/// In percent, of steps timed by time_step_of.
struct StepTableError {
  std::size_t samples = 0;
  double time_mean = 0, time_max = 0;
  double energy_mean = 0, energy_max = 0;

  /// The larger of time's and energy's.
  double mean() const;
  double max() const;
};

/// What steps of a run take without the table that they took their times from.
struct SampleTimes {
  StepTableError error;
  // Of all together:
  TimeBand band;  // factors of their time, as far as it is known
  Charges charges{};
};

/// Times the sampled steps on `deployment`, each with the steps of the draft before it.
Feasible<SampleTimes> time_sample(const Deployment& deployment,
                                  const std::vector<SampledStep>& steps);

}  // namespace presil
