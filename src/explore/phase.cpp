#include "explore/phase.h"

#include <algorithm>
#include <cmath>

#include "base/interrupt.h"
#include "base/parallel.h"

namespace presil {
namespace {

constexpr int kClockSteps = 100;
constexpr Resource kOnChip[] = {Resource::matrix, Resource::vector, Resource::sram, Resource::noc};

/// Steps do not depend on each other's time, so they are timed on all threads and summed in order.
Timeline time_all(const std::vector<BoundProgram>& bound, const ChipFiles& chip,
                  const CyclesOptions& options) {
  std::vector<Timeline> steps(bound.size());
  parallel_each(bound.size(), [&](std::size_t i) {
    check_interrupt();
    steps[i] = time_step(bound[i], chip.chip, chip.memory, options);
  });
  Timeline sum;
  for (const Timeline& step : steps) accumulate(sum, step);
  return sum;
}

/// What the slower clock adds to the on-chip resources is the power limit's doing.
void charge_power(Timeline& timeline, double clock) {
  Picoseconds lost(0);
  for (const Resource r : kOnChip) {
    Picoseconds& charged = timeline.charges[static_cast<std::size_t>(r)];
    const Picoseconds share(
        static_cast<std::int64_t>(static_cast<double>(charged.count()) * (1 - clock)));
    charged -= share;
    lost += share;
  }
  timeline.charges[static_cast<std::size_t>(Resource::power)] += lost;
  timeline.bound_by = largest(timeline.charges);
}

/// The highest step at which the phase would stay within the limit if on-chip time stretched with
/// the clock, all other time stayed, and so did the events.
int guess_clock(const Timeline& full, const ChipFiles& chip) {
  Picoseconds on_chip(0);
  for (const Resource r : kOnChip) {
    on_chip += full.charges[static_cast<std::size_t>(r)];
  }
  for (int percent = kClockSteps - 1; percent > 1; --percent) {
    Counts counts = full.counts;
    counts.time += on_chip * (kClockSteps - percent) / percent;
    const double watts =
        energy(counts, chip, percent / 100.0).total().typical / to_seconds(counts.time).count();
    if (watts <= chip.chip.power.limit.count()) return percent;
  }
  return 1;
}

}  // namespace

double tokens_per_second(const PhaseResult& phase) {
  return static_cast<double>(phase.tokens) / to_seconds(phase.timeline.total).count();
}

Watts mean_power(const PhaseResult& phase) {
  const double seconds = to_seconds(phase.timeline.total).count();
  const auto chips = static_cast<double>(phase.line());
  return Watts(seconds > 0 ? phase.energy.total().typical / seconds / chips : 0);
}

Feasible<PhaseResult> run_phase(std::string name, const Program& program,
                                const std::vector<Step>& steps, const ChipFiles& chip,
                                CyclesOptions options, Clocking clocking) {
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
    options.clock = result.clock;
    result.timeline = time_all(bound, chip, options);
    result.energy = energy(result.timeline.counts, chip, result.clock);
    return mean_power(result) <= chip.chip.power.limit;
  };
  if (at_clock(kClockSteps) || clocking == Clocking::burst) return result;

  // The highest step within the limit. Power falls with the clock, so one neighbour that exceeds it
  // is proof; a guess from the full clock's charges is seldom off by more than a step or two.
  const int lowest = static_cast<int>(std::ceil(chip.chip.power.min_clock * kClockSteps));
  int percent = std::max(lowest, guess_clock(result.timeline, chip));
  bool fits = at_clock(percent);
  while (!fits && percent > lowest) fits = at_clock(--percent);
  PhaseResult best = result;
  while (fits && percent + 1 < kClockSteps && at_clock(percent + 1)) {
    ++percent;
    best = result;
  }
  result = std::move(best);
  charge_power(result.timeline, result.clock);
  return result;
}

}  // namespace presil
