// A channel's state for shortcuts: as numbers that do not depend on where in time and in memory it
// is, what a stretch of reads changes in it, and the way back.
//
// Whoever wants to know what a stretch of reads does to a channel names the banks it can touch, its
// cast. Two channels described alike, each with its own cast, behave alike: what was seen to change
// in one can be applied to the other.
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <vector>

#include "dram/address_map.h"
#include "dram/counts.h"
#include "dram/timing.h"

namespace presil::dram {

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
  std::bitset<256> places;  // stack IDs and bank groups whose slots are in
};

using StateKey = std::vector<std::int64_t>;

/// A waiting read; active: its row was opened for it.
struct QueuedRead {
  std::uint32_t tag = 0;
  bool active = false;
};
struct Refill {
  Location at;
  std::uint32_t tag = 0;
  bool active = false;
};

/// The state that a change is taken against.
struct ChannelMark {
  Tick now = 0, refresh_due = 0;
  std::array<Tick, 6> clocks{};
  TimingState timing;
  ChannelCounts counts;
};

/// What a stretch changed, in ticks from its start and by place in its cast.
struct ChannelChange {
  struct Moment {
    std::int32_t which = 0;
    std::int32_t tick = 0;
  };
  struct BankEnd {
    bool open = false, closed_on_demand = false, refreshed = false;
    std::int32_t row = 0;  // from the member's
  };
  Tick length = 0;
  std::vector<Moment> ticks;   // clocks and slots with a new value
  std::vector<Moment> issues;  // by window rule, oldest first
  std::vector<BankEnd> banks;
  int refreshes_due = 0, banks_owed = 0;
  bool refresh_pending = false;
  bool ran_out_of_reads = false;  // no read was queued at some tick
  ChannelCounts counts;
};

}  // namespace presil::dram
