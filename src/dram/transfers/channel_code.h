// A pseudo-channel's state as bytes that do not depend on where in time and in memory it is, and
// the way back.
//
// Ticks count from now, and one that has passed is as good as any other that has. Banks come in the
// order in which a stream from here on visits them, and their rows count from the one that it will
// find there: so a stream that goes on by a period of the address map is described alike. Requests
// and the moment of the next refresh are left out; whoever has them puts them beside it.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "dram/address_map.h"
#include "dram/timing.h"

namespace presil::dram {

/// Of a line of a row sweep: how a stream that begins there comes by the banks.
struct BankOrder {
  std::vector<std::uint8_t> banks;     // in the order of its visits
  std::vector<std::uint8_t> next_row;  // by bank: 1 where it comes a row later than at first
  std::vector<int> slots;              // of the timing state that somebody pushes back and asks for
};

/// Where the streams of one pseudo-channel are, reads and writes: what they send next.
struct StreamPlaces {
  static constexpr std::int64_t kNowhere = -1;
  std::array<std::int64_t, 2> atom{kNowhere, kNowhere};
  std::array<std::int64_t, 2> row{};  // of the first bank that they visit from here
  std::array<const BankOrder*, 2> order{};
  const BankOrder* first = nullptr;  // the order that counts: the reads', if there are any

  bool has(int direction) const { return atom[direction] != kNowhere; }
  std::int64_t row_in(int direction, int bank) const {
    return row[direction] + order[direction]->next_row[static_cast<std::size_t>(bank)];
  }
};

/// A request accepted and not served.
struct QueuedRequest {
  Tick arrived = 0;
  std::uint32_t tag = 0;
  bool write = false;
  bool active = false;  // its row was opened for it
};
struct Refill {
  Location at;
  QueuedRequest request;
};

}  // namespace presil::dram
