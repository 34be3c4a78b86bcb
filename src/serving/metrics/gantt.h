// A window of single steps, to be drawn as a Gantt chart of the batch.
//
// The window is 400 consecutive steps of a few replicas. It is opened anew each time as many steps
// again have passed, so that it ends up in the second half of the run, where a service has settled.
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
  /// The latest whole window; what there is, in a shorter run.
  const std::vector<GanttStep>& steps() const { return whole_.empty() ? open_ : whole_; }

 private:
  std::vector<GanttStep> whole_, open_;
  std::int64_t seen_ = 0;
  std::int64_t opens_at_ = 0;  // the number of the first step of the window that is open
};

}  // namespace presil::serving
