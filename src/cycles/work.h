// What one kernel asks of each resource of the chip, in closed form.
//
// A kernel's tile loop nest, its operands' places and the chip's engines give total demands; the
// timeline cuts them into equal stages and lets the stages queue at the resources.
#pragma once

#include <cstdint>
#include <vector>

#include "base/units.h"
#include "chip/chip.h"
#include "dram/transfers/memory.h"
#include "program/bind.h"
#include "program/counts.h"

namespace presil {

/// What a stretch of DRAM traffic carries. Weights and caches may be fetched ahead of the kernel;
/// activations, the rows that tokens look up in the embedding table, and the experts that a router
/// chooses depend on what came before.
enum class Cargo { weights, experts, cache, activations };

struct DramTraffic {
  dram::Stream stream;
  Cargo cargo = Cargo::weights;
  bool write = false;
};

/// Demands of one kernel on one chip. Times are of the busiest core, at the full clock.
struct KernelWork {
  std::int64_t steps = 1;  // tile steps of the busiest core, waves included
  std::int64_t active_cores = 1;
  bool overlapped = true;  // a core loads while it computes
  Picoseconds matrix;
  Picoseconds vector;
  Picoseconds local;     // feeding the engines from local memory
  Picoseconds shared;    // shared memory, all cores together
  Picoseconds noc;       // the network into the cores, all together
  Picoseconds die_link;  // between the dies of the package, all together
  Picoseconds dma;       // the queues of its cores, to fetch what is read from DRAM
  Picoseconds link;      // to other chips; nothing else runs meanwhile
  std::vector<DramTraffic> traffic;
  std::int64_t flops = 0;  // useful ones, a multiply-add counts two
  Counts counts;           // without DRAM and time
};

/// A kernel of a step, in one repetition of its block.
struct KernelAt {
  std::size_t block = 0, kernel = 0;  // of the bound program
  std::int64_t layer = 0;             // repetition of the block
  const BoundKernel* bound = nullptr;
};

/// Calls `visit` with every KernelAt of the step, in program order.
template <class Visit>
void for_each_kernel(const BoundProgram& bound, const Visit& visit) {
  for (std::size_t b = 0; b < bound.blocks.size(); ++b) {
    const BoundBlock& block = bound.blocks[b];
    for (std::int64_t layer = 0; layer < block.repeat; ++layer) {
      for (std::size_t k = 0; k < block.kernels.size(); ++k) {
        visit(KernelAt{b, k, layer, &block.kernels[k]});
      }
    }
  }
}

/// A time at the full clock, at `clock` of it.
Picoseconds at_clock(Picoseconds time, double clock);

/// The work of `bound.blocks[block].kernels[kernel]` in repetition `layer` of its block.
KernelWork work_of(const BoundProgram& bound, std::size_t block, std::size_t kernel,
                   std::int64_t layer, const Chip& chip);

}  // namespace presil
