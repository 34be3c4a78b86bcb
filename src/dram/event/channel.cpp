#include "dram/event/channel.h"

#include <algorithm>

namespace presil::dram {
namespace {

/// The commands that a policy issues, a bit each.
unsigned commands_of(const Policy& policy) {
  unsigned used = 0;
  const auto use = [&](std::initializer_list<Command> commands) {
    for (const Command command : commands) used |= 1U << static_cast<int>(command);
  };
  use({Command::ACT, Command::PREpb, Command::RD, Command::WR});
  if (policy.refresh == Refresh::all_bank) use({Command::PREab, Command::REFab});
  if (policy.refresh == Refresh::per_bank) use({Command::REFpb});
  if (policy.controller.rfm_threshold > 0) use({Command::RFM});
  return used;
}

}  // namespace

Channel::Channel(const MemoryPart& part, BitsPerSecond rate, const Policy& policy, int skipped_rule)
    : table_(std::make_shared<TimingTable>(part, rate, commands_of(policy), skipped_rule)),
      bus_(part),
      ticks_per_clock_(part.ticks_per_clock) {
  for (int pc = 0; pc < part.pseudo_channels; ++pc) {
    pseudo_channels_.emplace_back(part, rate, policy, pc, *table_);
  }
}

Served Channel::step() {
  Served served;
  const Tick now = ++now_;
  if (next_ > now) return served;
  const int count = pseudo_channels();
  for (PseudoChannel& p : pseudo_channels_) {
    if (p.control_bound() <= now) p.control(now);
  }
  for (int i = 0, pc = bus_.column_turn(); i < count; ++i, pc = pc + 1 == count ? 0 : pc + 1) {
    PseudoChannel& p = pseudo_channels_[pc];
    if (p.column_bound() <= now && p.column(now, bus_, served)) break;
  }
  for (int i = 0, pc = bus_.row_turn(); i < count; ++i, pc = pc + 1 == count ? 0 : pc + 1) {
    PseudoChannel& p = pseudo_channels_[pc];
    if (p.row_bound() <= now && p.row(now, bus_)) break;
  }
  next_ = kNever;
  for (const PseudoChannel& p : pseudo_channels_) {
    const Tick column = std::max(p.column_bound(), bus_.column_free());
    const Tick row = std::max(p.row_bound(), bus_.row_free());
    next_ = std::min({next_, p.control_bound(), column, row});
  }
  return served;
}

void Channel::describe_bus(StateKey& key) const {
  const BusState bus = bus_.state();
  for (const Tick free : bus.free) key.add_ahead(free);
  for (const int turn : bus.turn) key.add(turn);
  key.add(now_ % ticks_per_clock_);
}

void Channel::set_forward(Tick now, StateReader& reader) {
  BusState bus;
  for (Tick& free : bus.free) free = now + reader.next();
  for (int& turn : bus.turn) turn = static_cast<int>(reader.next());
  reader.next();  // of the clock, where `now` is
  bus_.set_state(bus);
  now_ = next_ = now;
}

}  // namespace presil::dram
