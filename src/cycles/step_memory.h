// The chip's memory during one step: transfers go in once their times are known, arrivals come out.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/units.h"
#include "cycles/timeline.h"
#include "dram/transfers/memory.h"

namespace presil {

class StepMemory {
 public:
  StepMemory(const MemoryPart& part, const Dram& config, const CyclesOptions& options);

  /// Hands over a transfer, not before the memory has reached its time; its number.
  std::int64_t submit(dram::Transfer transfer);

  /// When the last byte of transfer `number` has arrived; runs the memory until it has.
  Picoseconds arrival(std::int64_t number);

  /// Runs until nothing is pending.
  void drain();

  /// The latest arrival so far: no later transfer can be ready before it.
  Picoseconds last_arrival() const { return last_arrival_; }

  BytesPerSecond peak() const { return flow_ ? flow_->peak : memory_->peak(); }
  dram::MemoryStatistics statistics() const;
  std::vector<TransferTime> take_transfers() { return std::move(transfers_); }

 private:
  void advance();
  /// When a transfer has arrived that takes its turn behind all before it.
  Picoseconds flow(const dram::Transfer& transfer);

  const MemoryFlow* const flow_;  // in place of memory_
  std::optional<dram::Memory> memory_;
  const bool record_;
  std::vector<Picoseconds> arrivals_;  // by number; kForever: still on its way
  std::vector<TransferTime> transfers_;
  Picoseconds last_arrival_{0};
  Picoseconds flow_free_{0}, flow_busy_{0};
  std::int64_t flow_bytes_ = 0;
};

}  // namespace presil
