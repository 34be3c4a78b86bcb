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
/// activations, and the rows that tokens look up in the embedding table, depend on what came
/// before.
enum class Cargo { weights, cache, activations };

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
  Picoseconds local;   // feeding the engines from local memory
  Picoseconds shared;  // shared memory, all cores together
  Picoseconds noc;     // the network into the cores, all together
  Picoseconds link;    // to other chips; nothing else runs meanwhile
  std::vector<DramTraffic> traffic;
  std::int64_t flops = 0;  // useful ones, a multiply-add counts two
  Counts counts;           // without DRAM and time
};

/// The work of `bound.blocks[block].kernels[kernel]` in repetition `layer` of its block.
KernelWork work_of(const BoundProgram& bound, std::size_t block, std::size_t kernel,
                   std::int64_t layer, const Chip& chip);

}  // namespace presil
