// The demands of one kernel, counted up part by part: what its operands are and where they lie,
// what moves, and what the engines of the cores do.
#pragma once

#include <cstdint>
#include <optional>

#include "cycles/work.h"

namespace presil {

class KernelMeter {
 public:
  /// Of bound.blocks[block].kernels[kernel] in repetition `layer` of its block.
  KernelMeter(const BoundProgram& bound, std::size_t block, std::size_t kernel, std::int64_t layer,
              const Chip& chip);

  const Kernel& kernel() const { return kernel_; }
  const Chip& chip() const { return chip_; }
  const Program& program() const { return *bound_.program; }
  const Step& step() const { return bound_.step; }
  std::int64_t extent(Axis axis) const { return b_.extent(axis); }
  const Mapping& mapping() const { return *b_.mapping; }
  /// The mapping's tile along `axis`; without a loop over it, the whole of its `extent`.
  std::int64_t tile(Axis axis, std::int64_t extent) const;
  /// Tiles that loops over cores hand out.
  std::int64_t tiles_over_cores() const;

  const Tensor& tensor(int index) const { return bound_.program->tensor(index); }
  const Placement& placement(int index) const;
  /// Of a weight or an activation, in this step and for the sequences of the kernel.
  std::int64_t bytes(int index) const;
  std::int64_t weight_bytes() const;
  /// Where a cache's rows of this layer begin.
  std::int64_t cache_base(int tensor) const;

  void move(const DramTraffic& traffic) { work_.traffic.push_back(traffic); }
  /// The weights of a kernel lie side by side: each pass over the first `bytes` is one stream.
  void read_weights(std::int64_t passes, std::int64_t bytes);
  /// Bytes into cores, every copy, and those of them that leave shared memory or go into it when
  /// nothing is read twice.
  void carry(std::int64_t noc_bytes, std::int64_t unique_bytes);
  void matrix(CoreCycles cycles, std::int64_t macs);
  void vector(std::int64_t flops_per_core, std::int64_t exps_per_core, std::int64_t cores);
  void local(std::int64_t bytes_per_core, std::int64_t total_bytes);
  /// An exchange with other chips: what is sent over links, and over the network.
  void link(Picoseconds time, Bytes over_links, Bytes over_network);
  /// `steps` of the busiest core, on `cores`, which are busy for `busy_share` of the time of all
  /// cores (default: their share of the cores).
  void run_on(std::int64_t steps, std::int64_t cores, std::optional<double> busy_share = {});
  /// Whether a core loads a tile's operands while it computes on others.
  void overlap_loads(bool overlapped) { work_.overlapped = overlapped; }
  void useful(std::int64_t flops) { work_.flops = flops; }
  std::int64_t active_cores() const { return work_.active_cores; }

  /// All that was counted, with the time of what was carried.
  KernelWork total();

 private:
  const BoundProgram& bound_;
  const BoundKernel& b_;
  const Kernel& kernel_;
  const std::int64_t layer_;  // of the block
  const std::int64_t first_layer_;
  const Chip& chip_;
  KernelWork work_;
  std::optional<double> busy_share_;
  std::int64_t noc_bytes_ = 0;
  std::int64_t unique_bytes_ = 0;
};

/// The keys, or the values, of `count` tokens in one layer, with their scales.
std::int64_t bytes_of_tokens(const Tensor& cache, std::int64_t count);

}  // namespace presil
