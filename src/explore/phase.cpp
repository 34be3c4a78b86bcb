#include "explore/phase.h"

#include <cmath>

#include "base/interrupt.h"

namespace presil {
namespace {

constexpr int kClockSteps = 100;

Timeline time_all(const std::vector<BoundProgram>& bound, const ChipFiles& chip,
                  const CyclesOptions& options) {
  Timeline sum;
  for (const BoundProgram& step : bound) {
    check_interrupt();
    accumulate(sum, time_step(step, chip.chip, chip.memory, options));
  }
  return sum;
}

/// What the slower clock adds to the on-chip resources is the power limit's doing.
void charge_power(Timeline& timeline, double clock) {
  Picoseconds lost(0);
  for (const Resource r : {Resource::matrix, Resource::vector, Resource::sram, Resource::noc}) {
    Picoseconds& charged = timeline.charges[static_cast<std::size_t>(r)];
    const Picoseconds share(
        static_cast<std::int64_t>(static_cast<double>(charged.count()) * (1 - clock)));
    charged -= share;
    lost += share;
  }
  timeline.charges[static_cast<std::size_t>(Resource::power)] += lost;
  timeline.bound_by = largest(timeline.charges);
}

}  // namespace

double tokens_per_second(const PhaseResult& phase) {
  return static_cast<double>(phase.tokens) / to_seconds(phase.timeline.total).count();
}

Watts mean_power(const PhaseResult& phase) {
  const double seconds = to_seconds(phase.timeline.total).count();
  return Watts(seconds > 0 ? phase.energy.total().typical / seconds : 0);
}

Feasible<PhaseResult> run_phase(std::string name, const Program& program,
                                const std::vector<Step>& steps, const ChipFiles& chip,
                                LaunchMode launch) {
  PhaseResult result;
  result.name = std::move(name);
  result.steps = static_cast<std::int64_t>(steps.size());
  std::vector<BoundProgram> bound;
  for (const Step& step : steps) {
    auto b = bind(program, step);
    if (!b) return tl::unexpected(b.error());
    bound.push_back(std::move(*b));
    result.tokens += step.tokens();
  }
  const auto at_clock = [&](int percent) {
    result.clock = static_cast<double>(percent) / kClockSteps;
    result.timeline = time_all(bound, chip, {launch, result.clock});
    result.energy = energy(result.timeline.counts, chip);
    return mean_power(result) <= chip.chip.power.limit;
  };
  if (at_clock(kClockSteps)) return result;

  // The highest step within the limit: power falls with the clock, so bisect.
  int fits = static_cast<int>(std::ceil(chip.chip.power.min_clock * kClockSteps));
  int exceeds = kClockSteps;
  while (exceeds - fits > 1) {
    const int middle = (fits + exceeds) / 2;
    (at_clock(middle) ? fits : exceeds) = middle;
  }
  at_clock(fits);
  charge_power(result.timeline, result.clock);
  return result;
}

}  // namespace presil
