// The DRAM of one chip: transfers in, arrival times out, every command counted.
//
// Lines of 256 B are dealt out over all pseudo-channels of all stacks in turn (chip/dram_shape.h),
// so all of them see the same local stream; they are equal, and one of them is simulated for all.
// That holds to the byte for streams on whole lines of every pseudo-channel; another is seen as the
// first pseudo-channel sees it, at least one line, which is at most one line off for the others.
// Such transfers are counted in `rounded_transfers`.
//
// Time is in ticks of the part's command clock, rounded up once to picoseconds at this border. The
// controller adds no latency of its own: a read arrives CL and a burst after its RD.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/units.h"
#include "chip/chip.h"
#include "chip/memory_part.h"
#include "dram/counts.h"

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
  // Concurrent requesters take turns by atom, in the order of their numbers; the transfers of one
  // requester are sent in the order of submission, each not before it is ready.
  int requester = 0;
  Picoseconds ready_at;
};

using TransferId = std::int64_t;

struct Arrival {
  TransferId transfer = 0;
  Picoseconds time;  // its last byte has arrived (read) or is in the DRAM (write)
};

/// Over all channels of the chip.
struct CommandCounts {
  std::int64_t ACT = 0, PREpb = 0, PREab = 0, RD = 0, WR = 0, REFab = 0, REFpb = 0, RFM = 0;
};

struct MemoryStatistics {
  CommandCounts commands;
  std::int64_t atoms = 0;
  std::int64_t row_hits = 0, row_misses = 0, row_conflicts = 0;
  BusShares shares;     // of the time that some transfer was waiting
  Picoseconds waiting;  // total time with at least one transfer waiting
  std::int64_t rounded_transfers = 0;
  std::int64_t replayed_atoms = 0;     // of `atoms`, those in segments read from a tape
  std::vector<std::string> shortcuts;  // which of the proven shortcuts were used
};

/// Adds the statistics of a later run: counts add up, shares are weighted by the time waited.
void accumulate(MemoryStatistics& sum, const MemoryStatistics& later);

/// Shortcuts are exact; off and checked are for proving it. Checked simulates what a shortcut skips
/// too, and fails where the two come to different states.
enum class Shortcuts { off, on, checked };

class Memory {
 public:
  /// Requires config.rate <= part.rate; no rate means the part's. A capacity other than the stacks'
  /// own changes the rows of a bank. Throws InputError for a mapping that does not cover the part.
  Memory(const MemoryPart& part, const Dram& config, Shortcuts shortcuts = Shortcuts::on);
  ~Memory();

  BytesPerSecond peak() const;
  Bytes capacity() const;

  /// Hands over a transfer; they are numbered from 0. Requires ready_at >= the time reached by
  /// advance(), and a stream of at least a byte within capacity().
  TransferId submit(const Transfer& transfer);

  /// Runs until the next transfer completes, but not past `limit`; time has then reached its
  /// completion. Empty when none completes by then; time has then reached `limit`.
  std::optional<Arrival> advance(Picoseconds limit);

  /// Transfers submitted and not yet returned by advance().
  std::int64_t pending() const;

  MemoryStatistics statistics() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace presil::dram
