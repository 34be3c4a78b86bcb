#include "cycles/timeline.h"

#include "base/error.h"
#include "cycles/law_run.h"
#include "cycles/tile_run.h"

namespace presil {

void accumulate(Timeline& sum, const Timeline& step) {
  sum.kernels = step.kernels;
  sum.total += step.total;
  add(sum.charges, step.charges);
  add(sum.busy, step.busy);
  for (const auto& [error_class, time] : step.by_class) sum.by_class[error_class] += time;
  sum.transfers = step.transfers;
  sum.bound_by = largest(sum.charges);
  sum.flops += step.flops;
  sum.weight_bytes += step.weight_bytes;
  sum.kv_bytes += step.kv_bytes;
  sum.dram_bytes += step.dram_bytes;
  sum.counts += step.counts;
  sum.dram_peak = step.dram_peak;
  dram::accumulate(sum.memory, step.memory);
}

Timeline time_step(const BoundProgram& bound, const Chip& chip, const MemoryPart& part,
                   const CyclesOptions& options) {
  CHECK(options.clock > 0 && options.clock <= 1, "a clock between zero and the chip's own");
  return options.library ? run_library(bound, chip, part, options)
                         : run_tiles(bound, chip, part, options);
}

}  // namespace presil
