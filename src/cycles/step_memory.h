// The chip's memory during one step: transfers go in once their times are known, arrivals come out.
#pragma once

#include <cstdint>
#include <vector>

#include "base/units.h"
#include "cycles/timeline.h"
#include "dram/transfers/memory.h"

namespace presil {

class StepMemory {
 public:
  /// With `record`, every transfer's times are kept for take_transfers().
  StepMemory(const MemoryPart& part, const Dram& config, bool record);

  /// Hands over a transfer, not before the memory has reached its time; its number.
  std::int64_t submit(dram::Transfer transfer);

  /// When the last byte of transfer `number` has arrived; runs the memory until it has.
  Picoseconds arrival(std::int64_t number);

  /// Runs until nothing is pending.
  void drain();

  /// The latest arrival so far: no later transfer can be ready before it.
  Picoseconds last_arrival() const { return last_arrival_; }

  BytesPerSecond peak() const { return memory_.peak(); }
  dram::MemoryStatistics statistics() const { return memory_.statistics(); }
  std::vector<TransferTime> take_transfers() { return std::move(transfers_); }

 private:
  void advance();

  dram::Memory memory_;
  const bool record_;
  std::vector<Picoseconds> arrivals_;  // by number; kForever: still on its way
  std::vector<TransferTime> transfers_;
  Picoseconds last_arrival_{0};
};

}  // namespace presil
