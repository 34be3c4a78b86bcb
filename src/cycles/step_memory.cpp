#include "cycles/step_memory.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "cycles/buffer.h"

namespace presil {

StepMemory::StepMemory(const MemoryPart& part, const Dram& config, const CyclesOptions& options)
    : flow_(options.flow), record_(options.record_transfers) {
  if (!flow_) memory_.emplace(part, config);
}

std::int64_t StepMemory::submit(dram::Transfer transfer) {
  const std::int64_t number = std::ssize(arrivals_);
  if (flow_) {
    arrivals_.push_back(flow(transfer));
  } else {
    transfer.ready_at = std::max(transfer.ready_at, last_arrival_);
    const dram::TransferId id = memory_->submit(transfer);
    CHECK(id == number, "transfers are numbered in order");
    arrivals_.push_back(kForever);
  }
  if (record_) {
    const Picoseconds end = flow_ ? arrivals_.back() : transfer.ready_at;
    transfers_.push_back({transfer.ready_at, end, Bytes(transfer.stream.length), transfer.write});
  }
  return number;
}

Picoseconds StepMemory::flow(const dram::Transfer& transfer) {
  const MemoryFlow::Direction& d = transfer.write ? flow_->written : flow_->read;
  const std::int64_t bytes = transfer.stream.length;
  const Picoseconds busy = to_picoseconds(Seconds(d.seconds_per_byte * static_cast<double>(bytes)));
  flow_free_ = std::max(flow_free_, transfer.ready_at) + busy;
  flow_busy_ += busy;
  flow_bytes_ += bytes;
  return flow_free_ + d.latency;
}

Picoseconds StepMemory::arrival(std::int64_t number) {
  const Picoseconds& time = arrivals_[static_cast<std::size_t>(number)];
  while (time == kForever) advance();
  return time;
}

void StepMemory::drain() {
  while (memory_ && memory_->pending() > 0) advance();
}

void StepMemory::advance() {
  const auto arrival = memory_->advance(kForever);
  CHECK(arrival.has_value(), "a transfer that was submitted arrives");
  const auto number = static_cast<std::size_t>(arrival->transfer);
  arrivals_[number] = arrival->time;
  if (record_) transfers_[number].end = arrival->time;
  last_arrival_ = std::max(last_arrival_, arrival->time);
}

dram::MemoryStatistics StepMemory::statistics() const {
  if (!flow_) return memory_->statistics();
  dram::MemoryStatistics s;
  s.waiting = flow_busy_;
  s.commands.ACT = std::llround(flow_->rows_per_byte * static_cast<double>(flow_bytes_));
  return s;
}

}  // namespace presil
