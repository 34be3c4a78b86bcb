// The DRAM of one chip: transfers in, arrival times out, every command counted.
//
// Transfers are interleaved over the channels, so all channels see the same local stream; they are
// equal, and one of them is simulated for all. That is checked: a stream whose length is not a
// whole number of interleave lines over all channels is rounded up to one, and counted in
// `rounded_transfers`.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/units.h"
#include "chip/chip.h"
#include "chip/memory_part.h"

namespace presil::dram {

/// `length` bytes in blocks of `block` bytes, `stride` apart; block 0 means contiguous.
struct Stream {
  std::int64_t base = 0;
  std::int64_t length = 0;
  std::int64_t block = 0;
  std::int64_t stride = 0;
};

struct Transfer {
  Stream stream;
  bool write = false;
  int requester = 0;  // concurrent transfers are served round-robin by atom in requester order
  Picoseconds ready_at;
};

using TransferId = std::int64_t;

struct Arrival {
  TransferId transfer = 0;
  Picoseconds time;  // its last byte has arrived (read) or is in the DRAM (write)
};

/// Over all channels of the chip.
struct CommandCounts {
  std::int64_t ACT = 0, PREpb = 0, PREab = 0, RD = 0, WR = 0, REFab = 0, REFpb = 0;
};

/// Where the data bus's time went, in shares of the time that some transfer was waiting; they sum
/// to 1 with `data`.
struct BusShares {
  double data = 0;
  double refresh = 0;
  double row = 0;         // waiting for activates and precharges (misses, conflicts, tFAW)
  double turnaround = 0;  // between reads and writes
  double other = 0;       // bank-group spacing, command slots
};

struct MemoryStatistics {
  CommandCounts commands;
  std::int64_t atoms = 0;
  std::int64_t row_hits = 0, row_misses = 0, row_conflicts = 0;
  BusShares shares;
  Picoseconds waiting;  // total time with at least one transfer waiting
  std::int64_t rounded_transfers = 0;
  std::vector<std::string> shortcuts;  // which of the proven shortcuts were used
};

/// Adds the statistics of a later run: counts add up, shares are weighted by the time waited.
void accumulate(MemoryStatistics& sum, const MemoryStatistics& later);

class Memory {
 public:
  /// Requires config.rate <= part.rate. Throws InputError for a mapping that does not cover the
  /// part.
  Memory(const MemoryPart& part, const Dram& config);
  ~Memory();

  BytesPerSecond peak() const;
  Bytes capacity() const;

  /// Hands over a transfer. Requires ready_at >= the time reached by advance(), and the stream to
  /// lie within capacity().
  TransferId submit(const Transfer& transfer);

  /// Runs until the next transfer completes, but not past `limit`. Empty when none completes by
  /// then; time has then reached `limit`.
  std::optional<Arrival> advance(Picoseconds limit);

  /// Transfers submitted and not yet complete.
  std::int64_t pending() const;

  MemoryStatistics statistics() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace presil::dram
