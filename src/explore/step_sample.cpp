#include "explore/step_sample.h"

#include <algorithm>
#include <cmath>

#include "base/progress.h"

namespace presil {

void StepSample::keep(const serving::StepRecord& record) {
  if (record.sequences.empty()) return;
  if (steps_.size() == most_) {  // every second one goes, and from now on half as many come
    for (std::size_t i = 1; 2 * i < steps_.size(); ++i) steps_[i] = std::move(steps_[2 * i]);
    steps_.resize((steps_.size() + 1) / 2);
    stride_ *= 2;
  }
  SampledStep sampled{{}, record.cost, record.replica};
  for (const serving::StepSequence& s : record.sequences) {
    sampled.step.sequences.push_back({s.new_tokens, s.context});
  }
  steps_.push_back(std::move(sampled));
}

double StepTableError::mean() const {
  return std::max(time_mean, energy_mean);
}

double StepTableError::max() const {
  return std::max(time_max, energy_max);
}

Feasible<SampleTimes> time_sample(const Deployment& deployment,
                                  const std::vector<SampledStep>& steps) {
  SampleTimes result;
  StepTableError& error = result.error;
  error.samples = steps.size();
  const auto count = static_cast<double>(steps.size());
  double time_s = 0, low_s = 0, high_s = 0;
  Progress progress("steps timed without the table", std::ssize(steps));
  // One after the other: every thread that times steps keeps hundreds of MB of DRAM states.
  for (const SampledStep& sampled : steps) {
    const auto exact = time_step_of(deployment, sampled.step);
    if (!exact) return tl::unexpected(exact.error());
    const serving::StepCost& right = exact->cost;
    const double took_s = to_seconds(right.time).count();
    const auto percent = [](double a, double b) { return 100 * std::abs(a - b) / b; };
    const double time = percent(to_seconds(sampled.cost.time).count(), took_s);
    const double energy = percent(sampled.cost.energy_j, right.energy_j);
    error.time_mean += time / count;
    error.energy_mean += energy / count;
    error.time_max = std::max(error.time_max, time);
    error.energy_max = std::max(error.energy_max, energy);
    time_s += took_s;
    low_s += exact->band.low * took_s;
    high_s += exact->band.high * took_s;
    add(result.charges, exact->charges);
    progress.advance();
  }
  if (time_s > 0) result.band = {low_s / time_s, high_s / time_s};
  return result;
}

}  // namespace presil
