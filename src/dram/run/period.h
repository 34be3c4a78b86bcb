// Jumping whole periods of a regular stream.
//
// A stream whose addresses go on by the same step finds the channel, sooner or later, in a state it
// was in before but for a shift of time and rows: then all that happened in between happens again
// until the stream ends or breaks. States are compared whole, byte for byte (state_key.h), once
// a refresh interval.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "dram/event/channel.h"
#include "dram/latency.h"
#include "dram/load/feed.h"

namespace presil::dram {

class PeriodJump {
 public:
  /// `rows` of a bank.
  explicit PeriodJump(std::int64_t rows) : rows_(rows) {}

  /// To be called after each served request. Moves all four on by whole periods if it can.
  void look(Channel& channel, Feed& feed, LatencyHistogram& latency, Tick& end) {
    if (++served_ < kSoonest || !is_cut(channel)) return;
    served_ = 0;
    compare(channel, feed, latency, end);
  }
  bool jumped() const { return jumped_; }

 private:
  static constexpr std::int64_t kSoonest = 512;  // requests from one look to the next
  static constexpr std::int64_t kWithoutRefresh = 4096;
  /// When the states seen take more, all are forgotten.
  static constexpr std::size_t kMostBytes = 24 << 20;

  struct Seen {
    Tick now = 0;
    Channel::Mark channel;
    LatencyHistogram latency;
    std::int64_t blocks_left = 0;
    std::int64_t atoms = 0, code_atoms = 0;
  };
  /// A few of the states seen, whole: what is left of the stream after the last period is a part of
  /// one, so it begins at the last of these that fits.
  struct Checkpoint {
    std::int64_t blocks_left = 0;
    Channel channel;
    Feed feed;
    LatencyHistogram latency;
    Tick end = 0;
  };
  static constexpr std::size_t kCheckpoints = 16;

  /// After a refresh of pseudo-channel 0 (of its bank 0), or without any, now and then.
  bool is_cut(const Channel& channel);
  void compare(Channel& channel, Feed& feed, LatencyHistogram& latency, Tick& end);
  void keep_checkpoint(const Channel& channel, const Feed& feed, const LatencyHistogram& latency,
                       Tick end, std::int64_t blocks_left);
  void forget();

  std::int64_t rows_;
  std::int64_t served_ = 0;
  std::int64_t refreshes_all_ = 0, refreshes_one_ = 0;  // of pseudo-channel 0, at the last cut
  std::int64_t round_ = 0;  // of the stream; what was seen before a break is worth nothing after
  std::unordered_map<std::string, Seen> seen_;
  std::size_t bytes_ = 0;
  std::vector<Checkpoint> checkpoints_;
  std::int64_t states_ = 0, states_per_checkpoint_ = 1;
  bool jumped_ = false;
};

}  // namespace presil::dram
