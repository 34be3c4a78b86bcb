// One channel behind a port for each pseudo-channel: lines of several atoms go in whole.
//
// A pseudo-channel takes one atom a tick. A port holds the atoms of accepted lines that have not
// had their tick yet, and counts them against the queue, so that each finds its entry free.
#pragma once

#include <array>
#include <deque>
#include <vector>

#include "dram/address_map.h"
#include "dram/event/channel.h"

namespace presil::embed {

class PortedChannel {
 public:
  PortedChannel(const MemoryPart& part, BitsPerSecond rate, const dram::Policy& policy);

  /// Whether the queue has an entry for each of `atoms` more, those on their way counted.
  bool has_room(int pc, bool write, int atoms) const {
    return channel_.room(pc, write) - ports_[pc].waiting[write] >= atoms;
  }
  /// Takes an atom at tick now(). Requires has_room.
  void accept(int pc, const dram::Location& at, bool write, std::uint32_t tag);

  dram::Tick now() const { return channel_.now(); }
  /// No atom is served and no entry becomes free before this tick; kNever when none is waiting.
  dram::Tick next_event() const;
  /// Moves to `tick`, not before now(), and appends the atoms that were served.
  void run_to(dram::Tick tick, std::vector<dram::Served>& served);

  const dram::Channel& channel() const { return channel_; }

 private:
  struct Atom {
    dram::Location at;
    bool write = false;
    std::uint32_t tag = 0;
  };
  struct Port {
    std::deque<Atom> atoms;
    std::array<int, 2> waiting{};  // by direction
  };

  void send_atoms();
  dram::Tick next_step() const;

  dram::Channel channel_;
  std::vector<Port> ports_;
  int in_ports_ = 0;  // atoms
  int unserved_ = 0;  // atoms, those in the ports too
};

}  // namespace presil::embed
