// Jumping whole periods of a regular stream.
//
// A stream whose addresses go on by the same step finds the channel, sooner or later, in a state it
// was in before but for a shift of time and rows: then all that happened in between happens again
// until the stream ends or breaks. States are compared as numbers (channel_state.h), every one of
// them, once a refresh interval; the one to compare with is renewed at powers of two (Brent's
// cycle finding), so one is kept.
#pragma once

#include <cstdint>
#include <optional>

#include "dram/channel.h"
#include "dram/feed.h"
#include "dram/latency.h"

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

  struct Saved {
    StateKey key;
    Channel::Mark channel;
    LatencyHistogram latency;
    BlockStream::Regular regular;
    std::int64_t atoms = 0, code_atoms = 0;
  };

  /// After a refresh of pseudo-channel 0 (of its bank 0), or without any, now and then.
  bool is_cut(const Channel& channel);
  void compare(Channel& channel, Feed& feed, LatencyHistogram& latency, Tick& end);

  std::int64_t rows_;
  std::int64_t served_ = 0, refreshes_ = 0;
  std::optional<Saved> saved_;
  std::int64_t looks_ = 0, renew_at_ = 1;
  bool jumped_ = false;
};

}  // namespace presil::dram
