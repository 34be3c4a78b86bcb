// What one pseudo-channel does while a short segment of a stream passes, remembered.
//
// A segment is the sending of a few contiguous reads that are all there and ready, or, when nothing
// is ready, the wait until the queue has run empty. What happens in it depends on the reads, on the
// waiting ones, on the timing rules that are not yet over, on the rows of the banks concerned, and
// on refresh only if a refresh becomes due before it ends. All that, relative to now and to where
// the stream is, is the key; two keys that are equal stand for states that behave alike (see
// AddressMap::period). A Tape keeps what came of it. The key has two parts, so that segments
// without a refresh are found whenever the next one comes.
#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "dram/backlog.h"
#include "dram/channel.h"

namespace presil::dram {

/// A read that was sent and not served.
struct WaitingRead {
  TransferId transfer = 0;
  std::int64_t atom = 0;
  Location at;
  std::uint32_t tag = 0;
  bool active = false;
};

/// The waiting reads of a segment are numbered oldest first, then the ones sent in it. Ticks count
/// from its start.
struct Tape {
  static constexpr std::int32_t kNotServed = -1;
  struct Left {
    std::int32_t read = 0;
    bool active = false;
  };

  ChannelChange change;
  std::vector<std::int32_t> waiting_served;  // the RD of each waiting read, or kNotServed
  std::int32_t last_served = kNotServed;     // the last RD for a read sent in the segment
  bool all_served = true;                    // ... and each of those has had one
  std::vector<Left> left;                    // those not served, oldest first
};

class SegmentMemo {
 public:
  /// Segments end at multiples of this: long enough to be worth a look, and short enough that a few
  /// refreshes at most fall in one.
  static constexpr std::int64_t kAtoms = 256;
  /// Transfers below this are not worth a look.
  static constexpr std::int64_t kShortest = 64;
  /// Bounds the memory to about 75 MB: when there are as many new tapes (written or found), the
  /// others are forgotten, and then all are old.
  static constexpr std::size_t kMaxNewTapes = 1 << 14;

  /// The reads to come: `count` from `atom` on; none means the wait.
  struct Reads {
    std::int64_t atom = 0;
    std::int64_t count = 0;
  };

  SegmentMemo(const AddressMap& map, PagePolicy page, std::int64_t atoms_per_line);

  /// Whether segments can be told apart by their place in the map's period.
  bool applies() const { return period_ > 0; }

  /// The tape of what the channel will do, or nullptr. Requires applies(), channel.reads_only(), a
  /// segment that starts and ends on lines and does not pass the end of the map.
  const Tape* find(const Channel& channel, Reads reads, std::span<const WaitingRead> waiting);
  /// For the tape found last.
  const Cast& cast() const { return cast_; }

  // Writing the tape that was not found. No tape found before may be in use.
  void record(const Channel& channel);
  bool is_recording() const { return recording_; }
  bool is_recording_wait() const { return recording_ && reads_.count == 0; }
  void spoil() { recording_ = false; }
  /// A read was sent. Returns its number on the tape.
  std::int32_t note_sent(std::int64_t atom);
  void note_served(Tick tick, std::int32_t read);
  /// Ends the recording. `left` are the reads that wait now.
  void finish(const Channel& channel, std::vector<Tape::Left> left);

 private:
  using Key = StateKey;
  struct Hash {
    std::size_t operator()(const Key& key) const;
  };

  void cast_reads(const Channel& channel, std::span<const WaitingRead> waiting);
  void extend_refreshes(const Channel& channel, std::size_t due);
  void set_key(std::size_t due);
  void forget_oldest();

  const AddressMap* map_;
  std::int64_t period_ = 0, per_line_ = 1;
  std::vector<std::vector<int>> line_banks_;  // by line of one row sweep

  template <class Value>
  struct Generations {
    std::unordered_map<Key, Value, Hash> now, old;
    Value* find(const Key& key);
    void age();
  };

  Generations<std::int64_t> states_;  // numbered
  Generations<Tape> tapes_;           // by state, refreshes due, their banks
  std::int64_t next_state_ = 0;
  std::size_t found_ = 0;  // while the new tapes were new
  std::size_t rest_ = 0;   // segments to let pass unrecorded
  Tick longest_ = 0;

  // The segment looked for last, or recorded.
  Reads reads_;
  Cast cast_;
  Key state_key_, key_;
  std::int64_t state_ = 0;
  Tick first_due_ = 0;  // from the start
  Key refreshes_;       // described
  int refreshes_known_ = 0;
  std::vector<std::size_t> refreshes_end_;  // of the description, by refreshes due

  bool recording_ = false, had_writes_ = false;
  std::vector<ChannelMark> mark_;  // one while recording
  std::size_t waiting_ = 0;
  std::vector<std::int32_t> served_;
};

}  // namespace presil::dram
