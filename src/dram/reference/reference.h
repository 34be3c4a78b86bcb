// The reference engine: docs/dram_controller.md as a program, one tick after the other.
//
// It is slow and plain, and kept as the oracle of the engines that are neither: it shares no code
// with them but the rules and numbers that are data. Same members as the event engine's Channel.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "dram/address_map.h"
#include "dram/counts.h"
#include "dram/log_hash.h"
#include "dram/policy.h"
#include "dram/reference/reference_pseudo_channel.h"

namespace presil::dram {

class ReferenceChannel {
 public:
  /// A channel of `part` when a pin carries `rate`. Throws InputError as PolicyTicks does.
  ReferenceChannel(const MemoryPart& part, BitsPerSecond rate, const Policy& policy);

  int pseudo_channels() const { return static_cast<int>(pseudo_channels_.size()); }
  Tick now() const { return now_; }
  bool has_room(int pc, bool write) const { return pseudo_channels_[pc].has_room(write); }
  int waiting(int pc) const { return pseudo_channels_[pc].waiting(); }  // queued + active

  /// Sends a request at tick now(); it comes back with its tag when it is served. Requires
  /// has_room(pc, write), and at most one call a tick for a pseudo-channel.
  void accept(int pc, const Location& at, bool write, std::uint32_t tag);

  /// Moves to the next tick and does all that is done there.
  Served step();

  /// No step before this tick does anything unless something is accepted. Every tick is looked at.
  Tick next_event() const { return now_ + 1; }
  /// Lets the ticks up to `tick` pass. Requires now() <= tick < next_event().
  void skip_to(Tick tick);

  Tick read_latency() const { return read_latency_; }  // from the RD to the end of its data
  Tick write_latency() const { return write_latency_; }
  Tick burst_ticks() const { return burst_ticks_; }

  /// The gap ticks stay 0: they explain, and decide nothing.
  const ChannelCounts& counts(int pc) const { return pseudo_channels_[pc].counts(); }
  std::span<const BankCounts> banks(int pc) const { return pseudo_channels_[pc].banks(); }
  const LogHash& log_hash() const { return log_hash_; }
  /// Appends every command to `log` from now on; nullptr stops it.
  void log_to(std::vector<LoggedCommand>* log) { log_ = log; }

 private:
  /// A command bus, which serves the pseudo-channels in turn.
  struct Bus {
    Tick free = 0;  // no command starts before
    int turn = 0;   // who is asked first
  };
  Bus& row_bus() { return buses_[0]; }
  Bus& column_bus() { return buses_[part_.shared_command_bus ? 0 : 1]; }

  Served issue_column();
  void issue_row();
  void take(Bus& bus, int pc, Command command);
  void record(int pc, Command command, int bank, int row);

  MemoryPart part_;
  Tick now_ = 0;
  Tick read_latency_ = 0, write_latency_ = 0, burst_ticks_ = 0;
  std::vector<ReferencePseudoChannel> pseudo_channels_;
  std::vector<Tick> last_arrival_;  // by pseudo-channel
  std::array<Bus, 2> buses_;

  LogHash log_hash_;
  Tick last_command_ = 0;
  int rows_;                   // of a bank
  std::vector<int> last_row_;  // activated, by bank counted over the pseudo-channels
  std::vector<LoggedCommand>* log_ = nullptr;
};

}  // namespace presil::dram
