#include "explore/step_table_meter.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "cycles/work.h"
#include "explore/standing_power.h"
#include "explore/steps.h"

namespace presil {
namespace {

// Prefetching is that of a long run after one layer.
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

/// Whether the two tensors differ by no more than where they stand.
bool are_alike(const Tensor& a, const Tensor& b) {
  return a.role == b.role && a.format == b.format && a.scaling == b.scaling && a.rows == b.rows &&
         a.columns == b.columns;
}

/// Whether two blocks have the same kernels over like tensors.
bool are_alike(const Program& program, const Block& a, const Block& b) {
  const auto like_tensors = [&](int s, int t) {
    return are_alike(program.tensor(s), program.tensor(t));
  };
  const auto like_kernels = [&](Kernel k, const Kernel& l) {
    for (const auto operands : {&Kernel::inputs, &Kernel::weights, &Kernel::outputs}) {
      if (!std::equal((k.*operands).begin(), (k.*operands).end(), (l.*operands).begin(),
                      (l.*operands).end(), like_tensors)) {
        return false;
      }
      k.*operands = l.*operands;
    }
    return k == l;
  };
  return std::equal(a.kernels.begin(), a.kernels.end(), b.kernels.begin(), b.kernels.end(),
                    like_kernels);
}

}  // namespace

StepMeter::StepMeter(const Deployment& deployment, std::size_t stage)
    : deployment_(deployment),
      flow_(memory_flow(deployment.prepared.chip.memory, deployment.prepared.chip.chip.dram)),
      kernels_stand_alone_(cycles_options(deployment.prepared).library != nullptr),
      program_(*stages_of(deployment.prepared)[stage]) {
  program_.max_context = std::numeric_limits<std::int32_t>::max();  // corners of tables are beyond
  cut();
  find_power();
}

void StepMeter::cut() {
  const std::int64_t most = kernels_stand_alone_ ? 1 : kLayersRun;
  std::vector<Block> kept;
  std::vector<const Block*> examples;  // by kind
  for (const Block& block : program_.blocks) {
    const auto like = std::find_if(examples.begin(), examples.end(), [&](const Block* example) {
      return are_alike(program_, *example, block);
    });
    const auto kind = static_cast<std::size_t>(like - examples.begin());
    if (like == examples.end()) {
      examples.push_back(&block);
      kinds_.emplace_back();
    }
    Kind& k = kinds_[kind];
    k.layers += block.repeat;
    const std::int64_t more = std::min(block.repeat, most - k.run);
    if (more == 0) continue;
    kept.push_back(block);
    kept.back().repeat = more;
    origins_.push_back({kind, k.run});
    k.run += more;
  }
  program_.blocks = std::move(kept);
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
    const Origin& origin = origins_[at.block];
    const Kind& kind = kinds_[origin.kind];
    const std::int64_t first = kind.run > 1 ? 1 : 0;  // stands for itself
    const double stands_for =
        origin.before + at.layer < first
            ? 1
            : static_cast<double>(kind.layers - first) / static_cast<double>(kind.run - first);
    PartCost cost;
    cost.full_s = to_seconds(k.end - k.start).count();
    cost.event_j = events_of(k, step, deployment_.prepared.chip);
    cost.dram_bytes = static_cast<double>(k.dram_bytes.count());
    cost.flops = static_cast<double>(k.flops);
    member(parts, part_of(*at.bound->kernel)) += cost * stands_for;
  });
  return parts;
}

BoundProgram StepMeter::bound_to(const Step& step) const {
  Step paged = step;
  paged.page_tokens = page_tokens(deployment_.prepared);
  return bind(program_, paged).value();  // has any capacity
}

StepParts StepMeter::measure(const Step& step) const {
  return measure_at_clocks(bound_to(step));
}

PartCost StepMeter::measure_attention(const Step& step) const {
  BoundProgram bound = bound_to(step);
  for (BoundBlock& block : bound.blocks) {
    std::erase_if(block.kernels,
                  [](const BoundKernel& k) { return part_of(*k.kernel) != Part::attention; });
  }
  return measure_at_clocks(bound).attention;
}

StepParts StepMeter::measure_at_clocks(const BoundProgram& bound) const {
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
