// A pseudo-channel's state for replay: as numbers that do not depend on where in time and in memory
// it is, what a stretch of reads changes in it, and the way back.
//
// Whoever wants to know what a stretch of reads does names the banks it can touch, its cast. Two
// pseudo-channels described alike, each with its own cast, behave alike: what was seen to change in
// one can be applied to the other.
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <vector>

#include "dram/address_map.h"
#include "dram/counts.h"
#include "dram/timing.h"

namespace presil::dram {

/// The slots of a timing state that some rule pushes back and somebody asks for.
struct LiveSlots {
  explicit LiveSlots(const TimingTable& table);

  std::vector<std::vector<int>> at_place;  // TimingTable's
  int first_stack_id = 1, first_group = 1;
};

/// The banks that a stretch of reads can touch, in an order that does not depend on where it is.
struct Cast {
  struct Member {
    int bank = 0;
    int row = kNoRow;  // of the first of the reads there; kNoRow: it is refreshed at most
  };
  static constexpr int kNoRow = -1;
  std::vector<Member> members;
  std::uint64_t banks = 0;
  std::vector<int> slots;   // of the timing state, that the stretch can read or push back
  std::bitset<256> places;  // whose slots are in

  void clear();
  /// Adds the slots of a place, once.
  void add(const LiveSlots& live, int place);
};

using CastKey = std::vector<std::uint32_t>;

/// A waiting read; active: its row was opened for it.
struct QueuedRead {
  Tick arrived = 0;
  std::uint32_t tag = 0;
  bool active = false;
};
struct Refill {
  Location at;
  QueuedRead read;
};

/// The state that a change is taken against.
struct CastMark {
  Tick now = 0, refresh_due = 0, first_overdue = 0;
  std::array<Tick, 4> clocks{};
  TimingState timing;
  ChannelCounts counts;
};

/// What a stretch changed, in ticks from its start and by place in its cast.
struct CastChange {
  struct Moment {
    std::int32_t which = 0;
    std::int32_t tick = 0;
  };
  struct BankEnd {
    bool open = false, closed_on_demand = false, refreshed = false;
    std::int32_t row = 0;  // from the member's
  };
  std::vector<Moment> ticks;   // clocks and slots with a new value
  std::vector<Moment> issues;  // by window rule, oldest first
  std::vector<BankEnd> banks;
  int refreshes_due = 0, owed = 0;
  bool refresh_pending = false;
  bool ran_out_of_reads = false;  // no read was queued at some tick
  ChannelCounts counts;
};

}  // namespace presil::dram
