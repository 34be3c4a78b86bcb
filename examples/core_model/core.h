// A core that shows how a simulator drives presilicon::MemorySystem.
//
// Each cycle it retires up to `width` instructions from the head of its window and takes as many
// new ones. A load is in the window until its line has come; a store is done once it is sent. When
// the window is full, or the memory has no room, nothing can change before the memory's next event,
// so the core goes there in one step.
#pragma once

#include <cstdint>
#include <deque>

#include <presilicon/memory.h>

#include "trace.h"

struct CoreOptions {
  std::uint64_t period = 250;  // ps of a cycle
  std::uint64_t width = 4;     // instructions a cycle
  std::uint64_t window = 128;  // instructions in flight
};

class Core {
 public:
  /// Addresses wrap at the memory's capacity.
  Core(presilicon::MemorySystem& memory, Instructions instructions, const CoreOptions& options);

  /// Runs until every instruction has retired and every store is in the memory.
  void run();

  std::uint64_t retired() const { return retired_; }
  std::uint64_t cycles() const { return cycle_; }

 private:
  bool retire();
  bool take();
  bool send(const Instruction& instruction);
  void move_to(std::uint64_t cycle);

  presilicon::MemorySystem& memory_;
  Instructions instructions_;
  CoreOptions options_;
  std::deque<bool> window_;    // in program order: whether it is done
  std::uint64_t retired_ = 0;  // so the head of the window has this number
  std::uint64_t cycle_ = 0;
};
