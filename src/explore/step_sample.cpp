#include "explore/step_sample.h"

#include <algorithm>
#include <cmath>

#include "base/progress.h"
#include "program/bind.h"

namespace presil {
namespace {

Step model_step(const std::vector<serving::StepSequence>& sequences) {
  Step step;
  for (const auto& s : sequences) step.sequences.push_back({s.new_tokens, s.context});
  return step;
}

/// The draft's steps before one of the model, as serving::step_cost has them: the first reads the
/// prompts that the model reads, and each proposes a token for every sequence that decodes.
std::vector<Step> draft_steps(const std::vector<serving::StepSequence>& sequences,
                              std::int64_t proposals) {
  std::vector<Step> steps;
  for (std::int64_t i = 0; i < proposals; ++i) {
    Step step;
    for (const auto& s : sequences) {
      if (s.decodes) {
        step.sequences.push_back({1, s.context + i});
      } else if (i == 0) {
        step.sequences.push_back({s.new_tokens, s.context});
      }
    }
    if (!step.sequences.empty()) steps.push_back(std::move(step));
  }
  return steps;
}

/// A step on a model, timed without a table.
struct ExactPart {
  const Deployment* on = nullptr;
  Step step;
};

std::vector<ExactPart> parts_of(const Deployment& deployment, const SampledStep& sampled) {
  std::vector<ExactPart> parts = {{&deployment, model_step(sampled.sequences)}};
  if (!deployment.draft) return parts;
  for (Step& step : draft_steps(sampled.sequences, deployment.engine.speculation.tokens)) {
    parts.push_back({deployment.draft.get(), std::move(step)});
  }
  return parts;
}

}  // namespace

void StepSample::keep(const serving::StepRecord& record) {
  if (record.sequences.empty()) return;
  if (steps_.size() == most_) {  // every second one goes, and from now on half as many come
    for (std::size_t i = 1; 2 * i < steps_.size(); ++i) steps_[i] = std::move(steps_[2 * i]);
    steps_.resize((steps_.size() + 1) / 2);
    stride_ *= 2;
  }
  steps_.push_back(
      {{record.sequences.begin(), record.sequences.end()}, record.cost, record.replica});
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
    double took_s = 0, took_j = 0;
    for (const ExactPart& part : parts_of(deployment, sampled)) {
      const auto exact = time_step_of(*part.on, part.step);
      if (!exact) return tl::unexpected(exact.error());
      const double part_s = to_seconds(exact->cost.time).count();
      took_s += part_s;
      took_j += exact->cost.energy_j;
      low_s += exact->band.low * part_s;
      high_s += exact->band.high * part_s;
      add(result.charges, exact->charges);
    }
    const auto percent = [](double a, double b) { return 100 * std::abs(a - b) / b; };
    const double time = percent(to_seconds(sampled.cost.time).count(), took_s);
    const double energy = percent(sampled.cost.energy_j, took_j);
    error.time_mean += time / count;
    error.energy_mean += energy / count;
    error.time_max = std::max(error.time_max, time);
    error.energy_max = std::max(error.energy_max, energy);
    time_s += took_s;
    progress.advance();
  }
  if (time_s > 0) result.band = {low_s / time_s, high_s / time_s};
  return result;
}

}  // namespace presil
