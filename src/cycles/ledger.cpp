#include "cycles/ledger.h"

#include <algorithm>

namespace presil {

void Ledger::charge_until(Resource resource, Picoseconds time) {
  if (time <= charged_) return;
  charges_[index_of(resource)] += time - charged_;
  charged_ = time;
}

void Ledger::close(KernelTime k, const KernelWork& work, Picoseconds end) {
  k.start = now();
  k.end = end;
  k.bound_by = largest(charges_);
  k.flops = work.flops;
  k.counts = work.counts;
  for (const DramTraffic& t : work.traffic) {
    const Bytes size(t.stream.length);
    k.dram_bytes += size;
    (t.write ? k.counts.dram_written : k.counts.dram_read) += size;
    if (t.cargo == Cargo::weights || t.cargo == Cargo::experts) result_.weight_bytes += size;
    if (t.cargo == Cargo::cache) result_.kv_bytes += size;
  }
  result_.dram_bytes += k.dram_bytes;
  result_.flops += k.flops;
  result_.counts += k.counts;
  for (std::size_t r = 0; r < kResources; ++r) {
    result_.charges[r] += charges_[r];
    result_.busy[r] += k.busy[r];
  }
  result_.by_class[k.error_class] += k.end - k.start;
  result_.total = end;
  result_.kernels.push_back(std::move(k));
  charges_ = {};
}

KernelTime kernel_time(const BoundProgram& bound, const KernelAt& at) {
  const Block& block = *bound.blocks[at.block].block;
  KernelTime k;
  k.name = at.bound->kernel->name;
  k.block = block.name;
  k.layer = block.first_layer + at.layer;
  k.error_class = error_class(bound, *at.bound);
  return k;
}

Timeline Ledger::finish(StepMemory& memory, Resource resource) {
  result_.bound_by = largest(result_.charges);
  result_.memory = memory.statistics();
  result_.transfers = memory.take_transfers();
  result_.dram_peak = memory.peak();
  Picoseconds& busy = result_.busy[index_of(resource)];
  busy = std::max(busy, result_.memory.waiting);
  const dram::CommandCounts& c = result_.memory.commands;
  result_.counts.dram_ACT = c.ACT;
  result_.counts.dram_RD = c.RD;
  result_.counts.dram_WR = c.WR;
  result_.counts.dram_REFab = c.REFab;
  result_.counts.dram_REFpb = c.REFpb;
  result_.counts.time = result_.total;
  return std::move(result_);
}

}  // namespace presil
