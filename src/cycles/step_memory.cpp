#include "cycles/step_memory.h"

#include <algorithm>

#include "base/error.h"
#include "cycles/buffer.h"

namespace presil {

StepMemory::StepMemory(const MemoryPart& part, const Dram& config, bool record)
    : memory_(part, config), record_(record) {}

std::int64_t StepMemory::submit(dram::Transfer transfer) {
  transfer.ready_at = std::max(transfer.ready_at, last_arrival_);
  const dram::TransferId id = memory_.submit(transfer);
  CHECK(id == std::ssize(arrivals_), "transfers are numbered in order");
  arrivals_.push_back(kForever);
  if (record_) {
    transfers_.push_back(
        {transfer.ready_at, transfer.ready_at, Bytes(transfer.stream.length), transfer.write});
  }
  return id;
}

Picoseconds StepMemory::arrival(std::int64_t number) {
  const Picoseconds& time = arrivals_[static_cast<std::size_t>(number)];
  while (time == kForever) advance();
  return time;
}

void StepMemory::drain() {
  while (memory_.pending() > 0) advance();
}

void StepMemory::advance() {
  const auto arrival = memory_.advance(kForever);
  CHECK(arrival.has_value(), "a transfer that was submitted arrives");
  const auto number = static_cast<std::size_t>(arrival->transfer);
  arrivals_[number] = arrival->time;
  if (record_) transfers_[number].end = arrival->time;
  last_arrival_ = std::max(last_arrival_, arrival->time);
}

}  // namespace presil
