#include "explore/pipeline.h"

#include <algorithm>

namespace presil {
namespace {

/// `line`, whose times are those of one microbatch, for `microbatches` of them.
void repeat(Timeline& line, const Timeline& slowest, std::int64_t microbatches, bool is_decode) {
  const std::int64_t others = microbatches - 1;
  if (!is_decode) {
    line.total += slowest.total * others;
    add(line.charges, slowest.charges, others);
  } else if (slowest.total * microbatches > line.total) {
    line.total = slowest.total * microbatches;
    line.charges = {};
    add(line.charges, slowest.charges, microbatches);
  }
  line.bound_by = largest(line.charges);
  const Timeline once = line;
  for (std::int64_t i = 0; i < others; ++i) {
    line.flops += once.flops;
    line.weight_bytes += once.weight_bytes;
    line.kv_bytes += once.kv_bytes;
    line.dram_bytes += once.dram_bytes;
    line.counts += once.counts;
    dram::accumulate(line.memory, once.memory);
  }
}

}  // namespace

PhaseResult join_stages(std::vector<PhaseResult> stages, std::int64_t microbatches,
                        const ChipFiles& chip) {
  if (stages.size() == 1 && microbatches == 1) return std::move(stages.front());
  PhaseResult line = stages.front();
  line.timeline = {};
  for (const PhaseResult& stage : stages) {
    const Timeline& t = stage.timeline;
    std::vector<KernelTime> kernels = std::move(line.timeline.kernels);
    const Picoseconds begin = line.timeline.total;
    for (KernelTime k : t.kernels) {
      k.start += begin;
      k.end += begin;
      kernels.push_back(k);
    }
    accumulate(line.timeline, t);
    line.timeline.kernels = std::move(kernels);
    line.clock = std::min(line.clock, stage.clock);
    line.stages.push_back({t.total, t.bound_by});
  }
  line.microbatches = microbatches;
  line.latency = line.timeline.total;
  const auto slowest = std::max_element(stages.begin(), stages.end(),
                                        [](const PhaseResult& a, const PhaseResult& b) {
                                          return a.timeline.total < b.timeline.total;
                                        });
  repeat(line.timeline, slowest->timeline, microbatches, line.name == "decode");
  // Every chip of the line is there for the whole time.
  line.timeline.counts.time = line.timeline.total * static_cast<std::int64_t>(stages.size());
  line.energy = energy(line.timeline.counts, chip);
  return line;
}

}  // namespace presil
