// What a channel does while a short segment of a stream passes, remembered.
//
// In a segment each pseudo-channel sends contiguous reads that are all there and ready, or nothing
// at all; it ends as soon as one of them has sent what it had, or all queues have run empty. What
// happens in it depends on the reads, on the waiting ones, on the timing rules that are not yet
// over, on the rows of the banks concerned, on the command buses, and on refresh only if one
// becomes due before it ends. All that, relative to now and to where each pseudo-channel's stream
// is, is the key; two keys that are equal stand for states that behave alike (see
// AddressMap::period). A Tape keeps what came of it. The key has two parts, so that segments
// without a refresh are found whenever the next one comes.
#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "dram/event/channel.h"
#include "dram/transfers/backlog.h"

namespace presil::dram {

/// A read that was sent and not served.
struct WaitingRead {
  TransferId transfer = 0;
  std::int64_t atom = 0;
  Location at;
  QueuedRead queued;
};

/// What a pseudo-channel has before it when a segment starts.
struct Lane {
  std::vector<WaitingRead> waiting;  // oldest first
  Backlog::Requester* sender = nullptr;
  std::int64_t atom = 0;   // `count` contiguous reads come from here on; with none, some place near
  std::int64_t count = 0;  // the waiting ones
};

/// The waiting reads of a lane are numbered oldest first, then the ones sent in the segment. Ticks
/// count from its start.
struct Tape {
  static constexpr std::int32_t kNotServed = -1;
  struct Left {
    std::int32_t read = 0;
    std::int32_t arrived = 0;  // of one sent in the segment
    bool active = false;
  };
  struct Track {
    CastChange change;
    std::vector<std::int32_t> served;  // the RD of each read, or kNotServed
    std::vector<Left> left;            // those not served, oldest first
  };

  Tick length = 0;
  BusState bus;
  std::vector<Track> tracks;  // by pseudo-channel
  bool ran_out_of_reads = false;
};

class SegmentMemo {
 public:
  /// Segments end at multiples of this: long enough to be worth a look, and short enough that a few
  /// refreshes at most fall in one.
  static constexpr std::int64_t kAtoms = 256;
  /// Fewer reads are not worth a look.
  static constexpr std::int64_t kShortest = 24;
  /// Bounds the memory: when there are as many new tapes (written or found), the others are
  /// forgotten, and then all are old.
  static constexpr std::size_t kMaxNewTapes = 1 << 12;

  SegmentMemo(const AddressMap& map, const Policy& policy, const Channel& channel,
              std::int64_t atoms_per_line);

  /// Whether replay is possible under the policy and segments can be told apart by their place in
  /// the map's period.
  bool applies() const { return period_ > 0; }

  /// The tape of what the channel will do, or nullptr. Requires applies(), reads_only() of all
  /// pseudo-channels, and lanes that do not pass the end of the map.
  const Tape* find(const Channel& channel, std::span<const Lane> lanes);
  /// For the tape found last.
  const Cast& cast(std::size_t pc) const { return lanes_[pc].cast; }

  // Writing the tape that was not found. No tape found before may be in use.
  void record(const Channel& channel);
  bool is_recording() const { return recording_; }
  bool is_recording_wait() const { return recording_ && is_wait_; }
  void spoil() { recording_ = false; }
  /// A read was sent. Returns its number on the tape.
  std::int32_t note_sent(std::size_t pc, std::int64_t atom);
  /// Whether a lane has sent all its reads.
  bool is_sent(std::size_t pc) const { return lanes_[pc].is_sent(); }
  void note_served(std::size_t pc, Tick tick, std::int32_t read);
  void note_out_of_reads() { out_of_reads_ = true; }
  /// Ends the recording. `left` are the reads that wait now, by pseudo-channel.
  void finish(const Channel& channel, std::span<const std::vector<Tape::Left>> left);
  Tick start() const { return start_; }

 private:
  using Key = CastKey;
  struct Hash {
    std::size_t operator()(const Key& key) const;
  };
  template <class Value>
  struct Generations {
    std::unordered_map<Key, Value, Hash> now, old;
    Value* find(const Key& key);
    void age();
  };
  /// Of the segment looked for last, or recorded.
  struct Recorded {
    std::int64_t atom = 0, count = 0;
    std::size_t waiting = 0;
    Cast cast;
    int refreshes_due = 0, refreshes_known = 0;  // described
    std::vector<CastMark> mark;                  // one while recording
    std::vector<std::int32_t> served;

    bool is_sent() const {
      return count > 0 && served.size() - waiting == static_cast<std::size_t>(count);
    }
  };
  struct Due {
    Tick tick = 0;  // from the start
    std::size_t pc = 0;
  };

  void cast_reads(const PseudoChannel& pc, const Lane& lane, Cast& cast);
  void list_refreshes(const Channel& channel);
  void extend_refreshes(const Channel& channel, std::size_t due);
  void set_key(std::size_t due);
  void forget_oldest();

  const AddressMap* map_;
  LiveSlots live_;
  std::int64_t period_ = 0, per_line_ = 1;
  std::vector<std::vector<int>> line_banks_;  // by line of one row sweep

  Generations<std::uint32_t> states_;  // numbered
  Generations<Tape> tapes_;            // by state, refreshes due, their banks
  std::uint32_t next_state_ = 0;
  std::size_t found_ = 0;  // while the new tapes were new
  std::size_t rest_ = 0;   // segments to let pass unrecorded
  Tick longest_ = 0;

  std::vector<Recorded> lanes_;
  bool is_wait_ = false;
  Key state_key_, key_;
  std::uint32_t state_ = 0;
  bool is_known_ = false;  // state_ is
  Tick start_ = 0;
  std::vector<Due> dues_;                   // in the order of time
  Key refreshes_;                           // described
  std::vector<std::size_t> refreshes_end_;  // of the description, by refreshes due

  bool recording_ = false, had_writes_ = false, out_of_reads_ = false;
};

}  // namespace presil::dram
