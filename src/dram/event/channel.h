// One channel by events: its pseudo-channels behind shared command buses (docs/dram_controller.md).
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "dram/event/pseudo_channel.h"

namespace presil::dram {

class Channel {
 public:
  /// `skipped_rule` leaves out one of timing_rules(), for tests that want a faulty engine. Throws
  /// InputError where the policy asks for what the part cannot do.
  Channel(const MemoryPart& part, BitsPerSecond rate, const Policy& policy, int skipped_rule = -1);

  int pseudo_channels() const { return static_cast<int>(pseudo_channels_.size()); }
  Tick now() const { return now_; }
  bool has_room(int pc, bool write) const { return pseudo_channels_[pc].has_room(write); }
  /// Free entries of a queue.
  int room(int pc, bool write) const { return pseudo_channels_[pc].room(write); }
  /// Requests of a pseudo-channel accepted and not yet served.
  int waiting(int pc) const { return pseudo_channels_[pc].waiting(); }

  /// Takes a request at tick now(); it can be served from the next tick on, and comes back with its
  /// tag. Requires has_room(pc, write), and at most one call a tick and pseudo-channel.
  void accept(int pc, const Location& at, bool write, std::uint32_t tag) {
    PseudoChannel& p = pseudo_channels_[pc];
    p.accept(now_, at, write, tag);
    next_ = std::min({next_, p.control_bound(), p.column_bound(), p.row_bound()});
  }

  /// Moves to the next tick and does what is due there.
  Served step();
  /// No step before this tick does anything, unless something is accepted.
  Tick next_event() const { return std::max(next_, now_ + 1); }
  /// Lets the ticks up to `tick` pass. Requires now() <= tick < next_event().
  void skip_to(Tick tick) { now_ = tick; }

  /// From the RD (WR) to the end of its data.
  Tick read_latency() const { return pseudo_channels_[0].read_latency(); }
  Tick write_latency() const { return pseudo_channels_[0].write_latency(); }
  Tick burst_ticks() const { return pseudo_channels_[0].burst_ticks(); }

  const ChannelCounts& counts(int pc) const { return pseudo_channels_[pc].counts(); }
  std::span<const BankCounts> banks(int pc) const { return pseudo_channels_[pc].banks(); }
  const LogHash& log_hash() const { return bus_.log_hash(); }
  /// Appends every command to `log` from now on; nullptr stops it.
  void log_to(std::vector<LoggedCommand>* log) { bus_.log_to(log); }

  // For whole periods (state_key.h).

  void describe(StateKey& key) const;
  /// The counts and the hash at some time.
  struct Mark {
    LogHash log_hash;
    std::vector<ChannelCounts> counts;           // by pseudo-channel
    std::vector<std::vector<BankCounts>> banks;  // by pseudo-channel
  };
  Mark mark() const;
  /// Puts `times` times what happened from `from` to `to`, two marks at which the state was the
  /// same, between `from` and now. `shift` is `times` times the shift from one to the other.
  void repeat(const Mark& from, const Mark& to, std::int64_t times, const StateShift& shift);

  // For replay (state_graph.h), which leaves out log, hash and the counts of single banks.
  const TimingTable& timing_table() const { return *table_; }
  const PseudoChannel& pseudo_channel(std::size_t pc) const { return pseudo_channels_[pc]; }
  PseudoChannel& pseudo_channel(std::size_t pc) { return pseudo_channels_[pc]; }
  void stop_hashing() { bus_.stop_hashing(); }
  void describe_bus(StateKey& key) const;
  /// Sets time forward and the buses as they were described.
  void set_forward(Tick now, StateReader& reader);

 private:
  std::shared_ptr<const TimingTable> table_;
  CommandBus bus_;
  std::vector<PseudoChannel> pseudo_channels_;
  Tick ticks_per_clock_ = 1;
  Tick now_ = 0, next_ = 0;
};

}  // namespace presil::dram
