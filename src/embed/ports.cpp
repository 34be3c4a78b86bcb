#include "embed/ports.h"

namespace presil::embed {

using dram::Served;
using dram::Tick;

PortedChannel::PortedChannel(const MemoryPart& part, BitsPerSecond rate, const dram::Policy& policy)
    : channel_(part, rate, policy), ports_(static_cast<std::size_t>(part.pseudo_channels)) {}

void PortedChannel::accept(int pc, const dram::Location& at, bool write, std::uint32_t tag) {
  Port& port = ports_[pc];
  port.atoms.push_back({at, write, tag});
  ++port.waiting[write];
  ++in_ports_;
  ++unserved_;
}

Tick PortedChannel::next_step() const {
  return in_ports_ > 0 ? channel_.now() + 1 : channel_.next_event();
}

Tick PortedChannel::next_event() const {
  return unserved_ > 0 ? next_step() : dram::kNever;
}

/// One atom of each port, at this tick.
void PortedChannel::send_atoms() {
  for (int pc = 0; pc < channel_.pseudo_channels(); ++pc) {
    Port& port = ports_[pc];
    if (port.atoms.empty()) continue;
    const Atom& atom = port.atoms.front();
    channel_.accept(pc, atom.at, atom.write, atom.tag);
    --port.waiting[atom.write];
    --in_ports_;
    port.atoms.pop_front();
  }
}

void PortedChannel::run_to(Tick tick, std::vector<Served>& served) {
  while (channel_.now() < tick) {
    const Tick step = next_step();
    if (step > tick) {
      channel_.skip_to(tick);
      return;
    }
    if (in_ports_ > 0) send_atoms();
    channel_.skip_to(step - 1);
    const Served atom = channel_.step();
    if (!atom.any) continue;
    --unserved_;
    served.push_back(atom);
  }
}

}  // namespace presil::embed
