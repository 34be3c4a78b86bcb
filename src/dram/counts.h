// What a channel counts while it works.
#pragma once

#include <array>
#include <cstdint>

#include "dram/command.h"

namespace presil::dram {

/// Of one pseudo-channel, in commands, in requests and in ticks of its data bus.
struct ChannelCounts {
  std::array<std::int64_t, kCommands> commands{};
  std::int64_t hits = 0, misses = 0, conflicts = 0;
  // Ticks in which some request waited and the data bus stood idle, by reason.
  std::int64_t refresh_ticks = 0, row_ticks = 0, turnaround_ticks = 0;

  std::int64_t of(Command command) const { return commands[static_cast<std::size_t>(command)]; }
  ChannelCounts& operator+=(const ChannelCounts& other);
  ChannelCounts operator-(const ChannelCounts& other) const;
  ChannelCounts operator*(std::int64_t times) const;
  friend bool operator==(const ChannelCounts&, const ChannelCounts&) = default;
};

/// Where the time of the data buses went, in shares that add up to 1.
struct BusShares {
  double data = 0;        // codes of inline ECC included
  double refresh = 0;     // banks shut and refreshed, and opened again after a REFpb
  double row = 0;         // waiting for activates and precharges (misses, conflicts, tFAW)
  double turnaround = 0;  // between reads and writes
  double other = 0;       // spacing of bursts, command slots, first access, and nothing to do
};
/// Of `counts`, over `bus_ticks` ticks of all data buses together, at `burst_ticks` a RD or WR.
BusShares bus_shares(const ChannelCounts& counts, Tick burst_ticks, double bus_ticks);

/// Of one bank: a row of the heat map.
struct BankCounts {
  std::int64_t activates = 0, conflicts = 0, reads = 0, writes = 0;

  BankCounts& operator+=(const BankCounts& other);
  BankCounts operator-(const BankCounts& other) const;
  BankCounts operator*(std::int64_t times) const;
  friend bool operator==(const BankCounts&, const BankCounts&) = default;
};

/// A request that got its RD or WR in a step of the channel; at most one does.
struct Served {
  bool any = false;
  bool write = false;
  int pseudo_channel = 0;
  std::uint32_t tag = 0;  // as it was accepted
  Tick arrived = 0;       // the tick at which it was accepted
  Tick done = 0;          // end of its data
};

}  // namespace presil::dram
