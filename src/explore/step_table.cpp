#include "explore/step_table.h"

#include <algorithm>
#include <set>

#include "base/integers.h"

namespace presil {
namespace {

/// What `part` of `count` sequences have of their `total`.
std::int64_t share(std::int64_t total, std::int64_t part, std::int64_t count) {
  return count > 0 ? ceil_div(total, count) * part : 0;
}

/// The step of the group of `groups` that has the most to do: sequences are dealt out whole, and
/// prompts, which are more work, come after those that decode.
serving::StepFeatures share_of(const serving::StepFeatures& s, std::int64_t groups) {
  serving::StepFeatures group;
  const std::int64_t prompts = s.prefill_sequences, decodes = s.decode_sequences;
  group.prefill_sequences = ceil_div(prompts, groups);
  group.prefill_tokens = share(s.prefill_tokens, group.prefill_sequences, prompts);
  group.prefill_pairs = share(s.prefill_pairs, group.prefill_sequences, prompts);
  group.prefill_context = share(s.prefill_context, group.prefill_sequences, prompts);
  group.decode_sequences = prompts > 0 ? decodes / groups : ceil_div(decodes, groups);
  group.decode_tokens = share(s.decode_tokens, group.decode_sequences, decodes);
  group.decode_context = share(s.decode_context, group.decode_sequences, decodes);
  group.longest_context = group.decode_sequences > 0 ? s.longest_context : 0;
  return group;
}

/// Whether two stages of a pipeline take as long: the same kernels over as many layers.
bool are_alike(Program a, Program b) {
  for (Program* p : {&a, &b}) {
    const std::int64_t first = p->split.first_layer;
    p->split.stage = 0;
    p->split.first_layer = 0;
    for (Block& block : p->blocks) block.first_layer -= first;
  }
  return a == b;
}

}  // namespace

StepTable::StepTable(const Deployment& deployment, std::int64_t decode_tokens)
    : chips_of_stage_(static_cast<double>(deployment.chips_of_stage)),
      groups_(deployment.prepared.request.data_parallel) {
  const std::vector<const Program*> programs = stages_of(deployment.prepared);
  for (std::size_t i = 0; i < programs.size(); ++i) {
    const auto same = std::find_if(programs.begin(), programs.begin() + i,
                                   [&](const Program* p) { return are_alike(*p, *programs[i]); });
    const auto first = static_cast<std::size_t>(same - programs.begin());
    stages_.push_back(first < i ? stages_[first]
                                : std::make_shared<StageTable>(deployment, i, decode_tokens));
  }
}

serving::StepCost StepTable::cost(const serving::StepFeatures& step) const {
  const serving::StepFeatures share = groups_ > 1 ? share_of(step, groups_) : step;
  double seconds = 0, slowest = 0, joules = 0;
  serving::StepCost cost;
  for (const auto& stage : stages_) {
    const StageCost c = stage->cost(share);
    seconds += c.seconds;
    slowest = std::max(slowest, c.seconds);
    joules += c.joules - stage->standing_w() * c.seconds;
    cost.dram_bytes += chips_of_stage_ * c.dram_bytes;
    cost.flops += chips_of_stage_ * c.flops;
  }
  for (const auto& stage : stages_) joules += stage->standing_w() * slowest;
  cost.energy_j = chips_of_stage_ * joules;
  cost.time = to_nanoseconds(Seconds(seconds));
  cost.interval = to_nanoseconds(Seconds(slowest));
  return cost;
}

std::size_t StepTable::points() const {
  std::size_t sum = 0;
  for (const auto& stage : std::set(stages_.begin(), stages_.end())) sum += stage->points();
  return sum;
}

}  // namespace presil
