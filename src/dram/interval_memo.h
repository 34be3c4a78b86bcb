// What one pseudo-channel does between two all-bank refreshes, remembered.
//
// Right after a REFab all banks are shut and every older timing rule has run out, so for a stream
// of contiguous reads the future depends only on: how late the refresh came, which places the
// waiting reads have relative to the next one, and where that one falls in the address map's
// period (see AddressMap::period). With that as the key, a Tape keeps when each read was sent and
// served, for a stream that had a read ready whenever there was room. Whoever replays a tape must
// check just that; see Replay.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <vector>

#include "dram/channel.h"

namespace presil::dram {

/// Refresh phase, position modulo the period, then each waiting read's distance from the next,
/// oldest first.
using IntervalKey = std::vector<std::int64_t>;

/// Ticks count from the interval's start, right after a REFab.
struct Tape {
  static constexpr std::int32_t kNotServed = std::numeric_limits<std::int32_t>::max();

  std::vector<std::int32_t> sent;          // by read, contiguous from the next one
  std::vector<std::int32_t> served;        // its RD, or kNotServed within the interval
  std::vector<std::int32_t> queue_served;  // the same for the reads that waited at the start
  std::vector<std::int32_t> left;          // the reads of `served` that are not, in order
  Tick length = 0;                         // to right after the next REFab
  Tick refresh_due = 0;                    // from the end of the interval
  ChannelCounts counts;                    // what the interval added
};

class IntervalMemo {
 public:
  /// Bounds the memory: a tape of 5,000 reads takes 40 KB.
  static constexpr std::size_t kMaxTapes = 1024;

  const Tape* find(const IntervalKey& key) const;
  bool is_full() const { return tapes_.size() >= kMaxTapes; }
  void keep(const IntervalKey& key, Tape tape) { tapes_.emplace(key, std::move(tape)); }

 private:
  std::map<IntervalKey, Tape> tapes_;
};

/// Writes a tape while the channel runs.
class Recorder {
 public:
  /// Starts an interval; `next` is the position of the next read.
  void begin(IntervalKey key, Tick start, std::size_t queued, std::int64_t next,
             const ChannelCounts& counts);
  /// The interval is not one that a tape can stand for.
  void spoil() { on_ = false; }
  bool is_on() const { return on_; }

  /// The read at `position` was sent. Returns its index on the tape.
  std::int32_t note_sent(Tick tick, std::int64_t position);
  /// The read with this index was served; index -1 - k is the k-th that waited at the start.
  void note_served(Tick tick, std::int32_t index);
  /// Ends the interval; keeps the tape if it was not spoiled.
  void finish(Tick end, Tick refresh_due, const ChannelCounts& counts, IntervalMemo& memo);

 private:
  bool on_ = false;
  IntervalKey key_;
  Tick start_ = 0;
  std::int64_t next_ = 0;
  ChannelCounts counts_;
  Tape tape_;
};

}  // namespace presil::dram
