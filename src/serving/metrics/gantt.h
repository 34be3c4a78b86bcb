// A window of single steps, to be drawn as a Gantt chart of the batch.
//
// A window is 400 consecutive steps of a few replicas. The next one is opened when a third more
// steps have passed; the one that is shown is the last that began in the first three quarters of
// the run, where a service has settled and has not yet run dry.
#pragma once

#include <cstdint>
#include <vector>

#include "serving/engine/replica.h"

namespace presil::serving {

struct GanttStep {
  int replica = 0;
  Nanoseconds start, end;
  std::int64_t prefill_tokens = 0;
  std::int64_t decode_sequences = 0;
  std::int64_t waiting = 0;
};

class GanttWindow {
 public:
  static constexpr std::size_t kSteps = 400;

  void add(const StepRecord& step);
  /// What there is, in a run too short for a whole window.
  const std::vector<GanttStep>& steps() const;

 private:
  struct Window {
    std::int64_t first = 0;  // the number of its first step
    std::vector<GanttStep> steps;
  };
  Window earlier_, whole_, open_;
  std::int64_t seen_ = 0;
};

}  // namespace presil::serving
