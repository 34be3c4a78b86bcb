#include "core.h"

#include <utility>

namespace {
constexpr std::uint64_t kStore = UINT64_MAX;  // the tag of all stores; that of a load is its number
}

Core::Core(presilicon::MemorySystem& memory, Instructions instructions, const CoreOptions& options)
    : memory_(memory), instructions_(std::move(instructions)), options_(options) {}

void Core::run() {
  while (!instructions_.is_over() || !window_.empty()) {
    const bool retired = retire();
    const bool took = take();
    if (retired || took) {
      move_to(cycle_ + 1);
    } else {
      move_to((memory_.next_event() + options_.period - 1) / options_.period);
    }
  }
  while (memory_.pending() > 0) memory_.advance(memory_.next_event());
}

/// Returns whether any instruction retired.
bool Core::retire() {
  std::uint64_t left = options_.width;
  for (; left > 0 && !window_.empty() && window_.front(); --left) {
    window_.pop_front();
    ++retired_;
  }
  return left < options_.width;
}

/// Returns whether any instruction was taken.
bool Core::take() {
  std::uint64_t left = options_.width;
  for (; left > 0 && !instructions_.is_over() && window_.size() < options_.window; --left) {
    const Instruction instruction = instructions_.current();
    if (!send(instruction)) break;  // tried again at the next cycle, or the next event
    window_.push_back(instruction.kind != Instruction::load);
    instructions_.next();
  }
  return left < options_.width;
}

/// Sends what an instruction asks of the memory, if anything; false when there is no room.
bool Core::send(const Instruction& instruction) {
  const std::uint64_t address = instruction.address % memory_.capacity();
  switch (instruction.kind) {
    case Instruction::plain:
      return true;
    case Instruction::load:
      return memory_.send(address, false, retired_ + window_.size());
    case Instruction::store:
      return memory_.send(address, true, kStore);
  }
  return false;
}

void Core::move_to(std::uint64_t cycle) {
  cycle_ = cycle;
  for (const presilicon::Completion& done : memory_.advance(cycle * options_.period)) {
    if (done.tag != kStore) window_[done.tag - retired_] = true;
  }
}
