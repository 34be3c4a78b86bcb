// Collectives between chips: the algorithms that engines choose from, over one group that links
// join or over several that a network joins.
//
// A library's collective (NCCL) starts its kernel, passes data around in steps (a ring inside a
// node, a ring or a tree across nodes), each step one hop, and moves bytes at a share of the link's
// rate. Small messages go in words that carry their own flag (LL): quick to start, slow to move.
// Large ones wait for flags of whole buffers (simple). An engine's own all-reduce kernels write to
// or read from their peers' memory: in one shot (everybody reads everything) or in two
// (reduce-scatter, all-gather), up to a size that the engine sets.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "chip/chip.h"
#include "kernels/constants.h"
#include "kernels/law.h"
#include "kernels/machine.h"

namespace presil::kernels {

enum class Collective { all_reduce, all_gather, reduce_scatter, all_to_all, send_recv };

/// What joins the ranks of one group.
struct Fabric {
  std::int64_t ranks = 2;
  std::int64_t ranks_a_node = 2;  // that links join; the rest goes over the network
  double link_gbs = 0;            // out of one rank, one direction, by the links the group uses
  double link_us = 0;             // of one hop
  bool any_peer = true;           // each rank of a node is one hop from each other
  bool in_switch = false;         // the switch can add (NVLink SHARP)
  bool bus = false;               // the links are the host's PCIe
  double network_gbs = 0;         // out of one node, by the adapters its ranks reach
  double network_us = 0;          // from adapter to adapter
  double adapters = 1;            // that network_gbs is of
  bool staged = false;            // through the hosts' memory
  bool in_host = false;           // the network is the PCIe of one host

  std::int64_t nodes() const { return (ranks + ranks_a_node - 1) / ranks_a_node; }
};

/// `ranks` chips, as many in a node as its links join, or `ranks_a_node` (0: as many). Without a
/// link every chip is a node. Throws InputError for a group that nothing joins.
Fabric fabric_of(const Chip& chip, std::int64_t ranks, std::int64_t ranks_a_node = 0);

struct CollectiveCall {
  Collective kind = Collective::all_reduce;
  // Of the whole message at one rank: what all_reduce, reduce_scatter, all_to_all and send_recv
  // are handed, what all_gather gives back.
  double bytes = 0;
  Fabric fabric;
};

struct Sent {
  double link = 0, network = 0;
};

/// Bytes that one rank sends to ranks of its node and of others, its share of what leaves the node,
/// when no algorithm sends more than it must.
Sent bytes_sent(const CollectiveCall& call);

LawInfo collective_law();

/// The words that constants are looked up by. `mode`: "graph", "stream", "eager"; an eager call
/// takes as long as its host does, if that is longer.
Situation collective_situation(std::string_view engine, std::string_view mode,
                               const Machine& machine);

/// The engine "ideal" takes the quickest algorithm at the full rates of links and network, and no
/// constants.
Terms collective_terms(const CollectiveCall& call, const Machine& machine,
                       const Situation& situation, Constants constants);

}  // namespace presil::kernels
