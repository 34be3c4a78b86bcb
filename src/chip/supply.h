// How fast data reaches the cores, in closed form: over the ports and the links of the network, and
// over the link between dies. The compiler ranks mappings by it and `cycles` charges it, so the two
// cannot disagree.
//
// Addresses are interleaved, so every stop of memory on the network, and every die, gives an equal
// share of what any core reads.
#pragma once

#include <cstdint>

#include "base/units.h"
#include "chip/chip.h"

namespace presil {

/// What a kernel has brought to its cores (or from them).
struct Carried {
  double bytes = 0;  // into cores, every copy
  double read = 0;   // out of shared memory or DRAM: a read that feeds several cores counts once
  double share = 1;  // of the cores' ports, those that take part
};

/// Bytes over the busiest link of a network with `links`, when each of `cores` takes in one byte
/// and each read feeds `fan_out` cores that are neighbours. Cores and stops of memory are spread as
/// NocLinks says, and data takes these ways:
///
/// - crossbar: from its stop straight to its cores; a stop's own link is what they share.
/// - mesh: straight in from its stop's side, then along the line of its cores, which lie in one
///   column (stops left and right) or in one row (above and below): one copy down that line from
///   where it turned, and one up. A fan-out that is wider than the line needs a read a line.
/// - ring: the shorter way around, clockwise when both are as long, one copy each way. Reads feed
///   as many cores as divide the distance of two stops, `fan_out` at most.
double busiest_link(const NocLinks& links, Topology topology, std::int64_t cores,
                    std::int64_t fan_out);

/// The longest way from a stop to a core, in links.
std::int64_t longest_way(const NocLinks& links, Topology topology, std::int64_t cores);

/// Over the network: as long as its ports take, or its busiest link.
Seconds network_time(const Chip& chip, const Carried& carried);

/// Bytes that pass from die to die. Of n dies one holds what is read, so n - 1 of n reads cross,
/// and a read that feeds the cores of several dies crosses to each of the others. Zero without
/// die.link.
double die_crossings(const Chip& chip, const Carried& carried);

/// Over the links between dies, which all dies use at once.
Seconds die_link_time(const Chip& chip, const Carried& carried);

/// From memory to the farthest core on the other die: what the last byte is late.
Seconds supply_latency(const Chip& chip);

/// What the DMA queues of `cores` keep in flight, over the time that it is in flight (Little's
/// law). Requires chip.dma.
BytesPerSecond dma_bandwidth(const Dma& dma, std::int64_t cores);

}  // namespace presil
