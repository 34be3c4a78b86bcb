// The time of one step: kernels queue at the chip's resources, nothing ticks.
//
// Each kernel is cut into stages. A stage is fetched from DRAM (the memory engine in dram/ says
// when its last byte arrives), filled into the cores over shared memory and network, and computed
// on. Fetching runs ahead of computing, across kernels where the chip allows it, as far as the
// buffers reach. Every picosecond of a kernel is charged to the resource it waited for or ran on,
// so the charges of a step sum to its time.
//
// Kernels of a library are not cut: all their traffic is handed to the memory at their launch, and
// their law (law_work.h) makes a time of what the memory needed.
#pragma once

#include <cstdint>
#include <map>
#include <string_view>
#include <vector>

#include "base/units.h"
#include "chip/chip.h"
#include "chip/memory_part.h"
#include "cycles/measured_as.h"
#include "cycles/memory_flow.h"
#include "cycles/resource.h"
#include "dram/transfers/memory.h"
#include "kernels/library.h"
#include "program/bind.h"
#include "program/counts.h"

namespace presil {

struct CyclesOptions {
  LaunchMode launch = LaunchMode::graph;
  double clock = 1;  // share of the chip's full clock that cores, network and shared memory run at
  // Whose kernels run; nullptr: the program's own, tile by tile. Outlives the run.
  const kernels::Library* library = nullptr;
  bool record_transfers = false;  // into Timeline::transfers
  // In place of the memory engine, many times as fast; nullptr: the engine. Outlives the run.
  const MemoryFlow* flow = nullptr;
};

struct KernelTime {
  std::string_view name;
  std::string_view block;
  std::int64_t layer = 0;  // of the model
  Picoseconds start, end;  // back to back: a kernel starts where the one before ended
  Resource bound_by = Resource::dram;
  std::int64_t flops = 0;
  Bytes dram_bytes;
  Counts counts;   // without DRAM commands and time
  Charges busy{};  // each engine's own work, side by side; without DRAM, see transfers
  ErrorClass error_class;
};

/// One transfer between the chip and its DRAM: handed to the memory, and its last byte there.
struct TransferTime {
  Picoseconds start, end;
  Bytes size;
  bool write = false;
};

struct Timeline {
  std::vector<KernelTime> kernels;
  Picoseconds total;
  Charges charges{};
  Charges busy{};  // of each engine; of DRAM: while a transfer was waiting. The rest is idle
  std::map<ErrorClass, Picoseconds> by_class;  // the kernels' times
  Resource bound_by = Resource::dram;
  std::int64_t flops = 0;
  // Moved between chip and DRAM, writes included.
  Bytes weight_bytes, kv_bytes, dram_bytes;
  Counts counts;
  dram::MemoryStatistics memory;
  BytesPerSecond dram_peak;
  std::vector<TransferTime> transfers;  // of the last step, when they were to be recorded
};

/// Adds a later step to `sum`: times, charges, bytes and counts; `sum` keeps the kernels of the
/// last step.
void accumulate(Timeline& sum, const Timeline& step);

/// Runs `bound` on `chip`. Throws InputError when the DRAM description does not hold together.
Timeline time_step(const BoundProgram& bound, const Chip& chip, const MemoryPart& part,
                   const CyclesOptions& options = {});

}  // namespace presil
