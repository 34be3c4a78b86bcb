#include "cycles/kernel_meter.h"

#include <algorithm>
#include <cmath>

#include "base/integers.h"
#include "chip/engine_time.h"
#include "chip/supply.h"

namespace presil {

KernelMeter::KernelMeter(const BoundProgram& bound, std::size_t block, std::size_t kernel,
                         std::int64_t layer, const Chip& chip)
    : bound_(bound),
      b_(bound.blocks[block].kernels[kernel]),
      kernel_(*b_.kernel),
      layer_(layer),
      first_layer_(bound.blocks[block].block->first_layer),
      chip_(chip) {}

std::int64_t KernelMeter::tile(Axis axis, std::int64_t extent) const {
  const std::int64_t t = b_.mapping->tile(axis);
  return t == 0 ? extent : std::min(t, extent);
}

std::int64_t KernelMeter::tiles_over_cores() const {
  std::int64_t tiles = b_.mapping->split_k;
  for (const Loop& loop : b_.mapping->loops) {
    if (loop.over == Over::cores) tiles *= ceil_div(b_.extent(loop.axis), loop.tile);
  }
  return tiles;
}

const Placement& KernelMeter::placement(int index) const {
  return bound_.placements[static_cast<std::size_t>(index)];
}

std::int64_t KernelMeter::bytes(int index) const {
  const Tensor& t = tensor(index);
  return t.bytes(size_of(t.rows, bound_.step, kernel_.over)).count();
}

std::int64_t KernelMeter::weight_bytes() const {
  std::int64_t sum = 0;
  for (const int t : kernel_.weights) sum += bytes(t);
  return sum;
}

std::int64_t KernelMeter::cache_base(int tensor) const {
  const std::int64_t in_stage = first_layer_ - bound_.program->split.first_layer + layer_;
  return placement(tensor).address + in_stage * bound_.cache_layer_stride;
}

void KernelMeter::read_weights(std::int64_t passes, std::int64_t bytes) {
  if (kernel_.weights.empty()) return;
  const Tensor& first = tensor(kernel_.weights.front());
  const std::int64_t base = first.base + layer_ * first.layer_stride;
  const Routing& routing = kernel_.routing;
  const Cargo cargo = routing.per_token < routing.experts ? Cargo::experts : Cargo::weights;
  for (std::int64_t p = 0; p < passes; ++p) {
    move({{base, bytes, 0, 0}, cargo, false});
  }
}

void KernelMeter::carry(std::int64_t noc_bytes, std::int64_t unique_bytes) {
  noc_bytes_ += noc_bytes;
  unique_bytes_ += unique_bytes;
}

void KernelMeter::matrix(CoreCycles cycles, std::int64_t macs) {
  work_.matrix = CoreClock(matrix_clock(chip_.core)).edge(cycles);
  work_.counts.macs[kernel_.multiply] += macs;
}

void KernelMeter::vector(std::int64_t flops_per_core, std::int64_t exps_per_core,
                         std::int64_t cores) {
  work_.vector += CoreClock(vector_clock(chip_.core))
                      .edge(vector_cycles(chip_.core.vector, flops_per_core, exps_per_core));
  work_.counts.vector_flops += flops_per_core * cores;
  work_.counts.exponentials += exps_per_core * cores;
}

void KernelMeter::local(std::int64_t bytes_per_core, std::int64_t total_bytes) {
  const double cycles = static_cast<double>(bytes_per_core) / chip_.core.sram.read.count();
  work_.local += CoreClock(chip_.core.clock).edge(whole_cycles(cycles));
  work_.counts.local_bytes += Bytes(total_bytes);
}

void KernelMeter::link(Picoseconds time, Bytes over_links, Bytes over_network) {
  work_.link = time;
  work_.counts.link_bytes += over_links;
  work_.counts.network_bytes += over_network;
}

void KernelMeter::run_on(std::int64_t steps, std::int64_t cores, std::optional<double> busy_share) {
  work_.steps = steps;
  work_.active_cores = cores;
  busy_share_ = busy_share;
}

KernelWork KernelMeter::total() {
  // A core takes in its own share of the network's bandwidth, no more.
  const double cores =
      static_cast<double>(work_.active_cores) / static_cast<double>(chip_.core.count);
  const std::int64_t through = std::max(unique_bytes_, ceil_div(noc_bytes_, chip_.noc.multicast));
  const Carried carried{static_cast<double>(noc_bytes_), static_cast<double>(through),
                        busy_share_.value_or(cores)};
  work_.noc = to_picoseconds(network_time(chip_, carried));
  work_.die_link = to_picoseconds(die_link_time(chip_, carried));
  if (chip_.dma) {
    std::int64_t fetched = 0;
    for (const DramTraffic& t : work_.traffic) fetched += t.write ? 0 : t.stream.length;
    work_.dma = duration(Bytes(fetched), dma_bandwidth(*chip_.dma, work_.active_cores));
  }
  work_.counts.noc_bytes += Bytes(noc_bytes_);
  work_.counts.die_link_bytes += Bytes(std::llround(die_crossings(chip_, carried)));
  if (chip_.sram) {
    work_.shared = duration(Bytes(through), chip_.sram->read);
    work_.counts.shared_bytes += Bytes(through);
  }
  return std::move(work_);
}

std::int64_t bytes_of_tokens(const Tensor& cache, std::int64_t count) {
  return count * cache.bytes(cache.rows.scale).count();
}

}  // namespace presil
