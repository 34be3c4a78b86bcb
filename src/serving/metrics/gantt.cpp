#include "serving/metrics/gantt.h"

#include <utility>

namespace presil::serving {

void GanttWindow::add(const StepRecord& step) {
  const std::int64_t number = seen_++;
  if (number < open_.first) return;
  open_.steps.push_back({.replica = step.replica,
                         .start = step.start,
                         .end = step.end,
                         .prefill_tokens = step.features.prefill_tokens,
                         .decode_sequences = step.features.decode_sequences,
                         .waiting = step.waiting});
  if (open_.steps.size() < kSteps) return;
  earlier_ = std::move(whole_);
  whole_ = std::move(open_);
  open_ = {seen_ + seen_ / 3, {}};
}

const std::vector<GanttStep>& GanttWindow::steps() const {
  if (whole_.steps.empty()) return open_.steps;
  const bool is_late = 4 * whole_.first > 3 * seen_;
  return is_late && !earlier_.steps.empty() ? earlier_.steps : whole_.steps;
}

}  // namespace presil::serving
