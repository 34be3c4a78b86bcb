// One phase (prefill or decode) of one program on one chip: its time, its energy, and the clock at
// which it stays within the power limit.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "chip/library.h"
#include "cost/energy.h"
#include "cycles/timeline.h"
#include "program/bind.h"

namespace presil {

/// What a stage of a pipeline takes for one microbatch.
struct StageTime {
  Picoseconds time;
  Resource bound_by = Resource::dram;
};

struct PhaseResult {
  std::string name;  // "prefill", "decode"
  std::int64_t steps = 0;
  std::int64_t tokens = 0;  // read (prefill) or written (decode), over all sequences
  Timeline timeline;        // summed over the steps; kernels of the last one
  EnergyBill energy;
  double clock = 1;  // share of the full clock that the power limit allows
  // Of a pipeline (pipeline.h); of a single stage `stages` is empty.
  std::vector<StageTime> stages;
  std::int64_t microbatches = 1;
  Picoseconds latency;  // of one microbatch through all stages

  /// The chips whose counts, bytes and energy these are: one of each stage.
  std::int64_t line() const { return stages.empty() ? 1 : std::ssize(stages); }
};

/// Sustained: the clock that the power limit allows, over the whole phase. Burst: the highest one,
/// as a few calls after idling see it.
enum class Clocking { sustained, burst };

/// Runs `steps` one after another. When clocking is sustained and the mean power of the phase would
/// pass power.limit, the clock drops to the highest step of 1 % that stays within it (never below
/// power.min_clock), and the time that the slower clock costs is charged to Resource::power.
Feasible<PhaseResult> run_phase(std::string name, const Program& program,
                                const std::vector<Step>& steps, const ChipFiles& chip,
                                CyclesOptions options, Clocking clocking = Clocking::sustained);

double tokens_per_second(const PhaseResult& phase);

/// Mean power of the phase, with the typical energies.
Watts mean_power(const PhaseResult& phase);

}  // namespace presil
