#include "explore/service_band.h"

#include <algorithm>
#include <cmath>

#include "explore/run.h"
#include "explore/steps.h"

namespace presil {
namespace {

constexpr std::size_t kSteps = 8;  // their factors are much alike

Nanoseconds scaled(Nanoseconds time, double factor) {
  return Nanoseconds(
      std::max<std::int64_t>(1, std::llround(static_cast<double>(time.count()) * factor)));
}

}  // namespace

TimeBand time_band(const Deployment& deployment, const std::vector<SampledStep>& steps) {
  const RunResult& prepared = deployment.prepared;
  double time = 0, low = 0, high = 0;
  const std::size_t stride = std::max<std::size_t>(1, steps.size() / kSteps);
  for (std::size_t i = 0; i < steps.size(); i += stride) {
    Step step = heaviest_hand(steps[i].step.sequences, prepared.request.data_parallel);
    step.page_tokens = page_tokens(prepared);
    const auto phase = run_phase("step", prepared.program, {step}, prepared.chip,
                                 cycles_options(prepared), clocking(prepared.request));
    CHECK(phase.has_value(), "a step that ran can be timed");
    const TimeBand band = prepared.errors.of(*phase);
    const double took = to_seconds(phase->timeline.total).count();
    time += took;
    low += band.low * took;
    high += band.high * took;
  }
  return time > 0 ? TimeBand{low / time, high / time} : TimeBand{};
}

serving::StepCost ScaledCosts::cost(const serving::StepFeatures& step) const {
  serving::StepCost cost = costs_.cost(step);
  cost.time = scaled(cost.time, factor_);
  cost.interval = scaled(cost.interval, factor_);
  return cost;
}

}  // namespace presil
