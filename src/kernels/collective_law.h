// Collectives between chips: the algorithms that engines choose from, over one scale-up group or
// over groups joined by a network.
#pragma once

#include <cstdint>

#include "kernels/constants.h"
#include "kernels/law.h"
#include "kernels/machine.h"

namespace presil::kernels {

enum class Collective { all_reduce, all_gather, reduce_scatter, all_to_all, send_recv };

/// What joins the ranks, from the chip's link and a file in networks/.
struct Fabric {
  std::int64_t ranks = 2;
  std::int64_t ranks_a_node = 2;  // that the scale-up links join; the rest goes over the network
  double link_gbs = 0;            // out of one rank, one direction, inside a node
  double link_us = 0;             // of one hop
  bool in_switch = false;         // the switch can add (NVLink SHARP)
  bool pairwise = false;          // links join pairs of ranks only
  double network_gbs = 0;         // out of one node
  double network_us = 0;
};

struct CollectiveCall {
  Collective kind = Collective::all_reduce;
  double bytes = 0;  // a rank holds
  Fabric fabric;
};

LawInfo collective_law();
Terms collective_terms(const CollectiveCall& call, const Machine& machine,
                       const Situation& situation, Constants constants);

}  // namespace presil::kernels
