// What one pseudo-channel was told when, and whether the timing rules let it be told more.
//
// Plain on purpose: kept are the ticks at which each command was last issued, and each question
// walks the rules of dram/timing.h anew.
#pragma once

#include <array>
#include <deque>
#include <vector>

#include "dram/timing.h"

namespace presil::dram {

class CommandHistory {
 public:
  CommandHistory(const MemoryPart& part, BitsPerSecond rate);

  /// Whether `command` may start at `tick` at `bank`: on an edge if it needs one, and late enough
  /// after all that was issued. Commands to all banks pass bank 0. Knows nothing of buses.
  bool allows(Command command, int bank, Tick tick) const;

  /// Notes that `command` starts at `tick` at `bank`. Ticks do not go back.
  void add(Command command, int bank, Tick tick);

 private:
  /// When a command was issued last, -kNever if it was not.
  struct Issues {
    std::vector<Tick> at_bank, at_group, at_stack;
    std::deque<Tick> latest;  // at any bank, the latest first; as many as a window looks back
  };

  /// The tick of the `from` that `rule` counts from.
  Tick tick_before(const TimingRule& rule, int bank) const;

  MemoryPart part_;
  std::array<std::vector<TimingRule>, kCommands> rules_;  // by the command they hold back
  std::array<Tick, kCommands> slots_{};
  std::array<Issues, kCommands> issues_;
};

}  // namespace presil::dram
