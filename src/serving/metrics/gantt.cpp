#include "serving/metrics/gantt.h"

namespace presil::serving {

void GanttWindow::add(const StepRecord& step) {
  const std::int64_t number = seen_++;
  if (number < opens_at_) return;
  open_.push_back({.replica = step.replica,
                   .start = step.start,
                   .end = step.end,
                   .prefill_tokens = step.features.prefill_tokens,
                   .decode_sequences = step.features.decode_sequences,
                   .waiting = step.waiting});
  if (open_.size() < kSteps) return;
  whole_.swap(open_);
  open_.clear();
  opens_at_ = 2 * seen_;
}

}  // namespace presil::serving
