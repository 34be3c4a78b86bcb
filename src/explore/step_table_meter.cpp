#include "explore/step_table_meter.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "cycles/work.h"
#include "explore/standing_power.h"
#include "explore/steps.h"

namespace presil {
namespace {

// Prefetching and the memory's state are those of a long run after one layer.
constexpr std::int64_t kLayersRun = 3;

/// A chip whose parts stay this far below the limit never lowers its clock.
constexpr double kNearLimit = 0.97;

enum class Part { tokens, sequences, attention };

Part part_of(const Kernel& kernel) {
  if (kernel.op == Op::attention || kernel.over != Subset::all) return Part::attention;
  for (const Extent& e : kernel.extents) {
    if (e.symbol == Symbol::T) return Part::tokens;
  }
  return Part::sequences;
}

PartCost& member(StepParts& parts, Part part) {
  switch (part) {
    case Part::tokens:
      return parts.tokens;
    case Part::sequences:
      return parts.sequences;
    case Part::attention:
      break;
  }
  return parts.attention;
}

/// Rows are opened as bytes are moved.
double events_of(const KernelTime& k, const Timeline& step, const ChipFiles& chip) {
  Counts counts = k.counts;
  if (step.dram_bytes.count() > 0) {
    const double share =
        static_cast<double>(k.dram_bytes.count()) / static_cast<double>(step.dram_bytes.count());
    counts.dram_ACT = std::llround(share * static_cast<double>(step.counts.dram_ACT));
  }
  return energy(counts, chip).total().typical;
}

}  // namespace

StepMeter::StepMeter(const Deployment& deployment, std::size_t stage)
    : deployment_(deployment),
      flow_(memory_flow(deployment.prepared.chip.memory, deployment.prepared.chip.chip.dram)),
      program_(*stages_of(deployment.prepared)[stage]) {
  program_.max_context = std::numeric_limits<std::int32_t>::max();  // corners of tables are beyond
  for (Block& block : program_.blocks) {
    layers_.push_back(block.repeat);
    block.repeat = std::min(block.repeat, kLayersRun);
  }
  find_power();
}

double StepMeter::active_w() const {
  return deployment_.prepared.chip.chip.power.active.count();
}

double StepMeter::limit_w() const {
  return deployment_.prepared.chip.chip.power.limit.count();
}

double StepMeter::lowest_clock() const {
  return deployment_.prepared.chip.chip.power.min_clock;
}

Timeline StepMeter::time(const BoundProgram& bound, double clock) const {
  CyclesOptions options = cycles_options(deployment_.prepared);
  options.clock = clock;
  options.flow = &flow_;
  const ChipFiles& files = deployment_.prepared.chip;
  return time_step(bound, files.chip, files.memory, options);
}

StepParts StepMeter::measure_at(const BoundProgram& bound, double clock) const {
  const Timeline step = time(bound, clock);
  StepParts parts;
  std::size_t next = 0;
  for_each_kernel(bound, [&](const KernelAt& at) {
    const KernelTime& k = step.kernels[next++];
    const std::int64_t run = bound.blocks[at.block].repeat;
    const double stands_for =
        at.layer == 0 ? 1
                      : static_cast<double>(layers_[at.block] - 1) / static_cast<double>(run - 1);
    PartCost cost;
    cost.full_s = to_seconds(k.end - k.start).count();
    cost.event_j = events_of(k, step, deployment_.prepared.chip);
    cost.dram_bytes = static_cast<double>(k.dram_bytes.count());
    cost.flops = static_cast<double>(k.flops);
    member(parts, part_of(*at.bound->kernel)) += cost * stands_for;
  });
  return parts;
}

StepParts StepMeter::measure(const Step& step) const {
  Step paged = step;
  paged.page_tokens = page_tokens(deployment_.prepared);
  const BoundProgram bound = bind(program_, paged).value();  // has any capacity
  StepParts parts = measure_at(bound, 1);
  const StepParts slow = slow_clock_ < 1 ? measure_at(bound, slow_clock_) : parts;
  parts.tokens.slow_s = slow.tokens.full_s;
  parts.sequences.slow_s = slow.sequences.full_s;
  parts.attention.slow_s = slow.attention.full_s;
  return parts;
}

double StepMeter::power_of(const PartCost& part) const {
  return part.full_s > 0 ? part.event_j / part.full_s + standing_w_ + active_w() : 0;
}

void StepMeter::find_power() {
  const serving::EngineOptions& engine = deployment_.engine;
  double most = 0;
  for (std::int64_t tokens = engine.max_num_batched_tokens; tokens > 0; tokens /= 4) {
    const Step steps[] = {{{{tokens, 0}}}, {{{tokens, engine.max_model_len}}}};
    for (const Step& step : steps) {
      const BoundProgram bound = bind(program_, step).value();
      const Timeline t = time(bound, 1);
      standing_w_ = standing_power(energy(t.counts, deployment_.prepared.chip), t.total).count();
      const StepParts parts = measure_at(bound, 1);
      for (const PartCost& part : {parts.tokens, parts.sequences, parts.attention}) {
        most = std::max(most, power_of(part));
      }
    }
  }
  if (clocking(deployment_.prepared.request) == Clocking::burst) return;
  if (most > kNearLimit * limit_w()) {
    slow_clock_ = std::clamp(limit_w() / most, lowest_clock(), 0.9);
  }
}

}  // namespace presil
