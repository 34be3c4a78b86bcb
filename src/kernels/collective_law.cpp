#include "kernels/collective_law.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "base/error.h"

namespace presil::kernels {
namespace {

constexpr double kMiB = 1 << 20;
constexpr double kReferenceGhz = 1.98;    // the clock that starts are quoted at
constexpr double kRampBytes = 32 * kMiB;  // where half of the buffers of a long message are used
// A host that stages a message takes this much of it before the network has sent any.
constexpr double kStagedAhead = 2e6;
enum C : std::size_t {
  kRingStart,
  kHopShare,
  kLlShare,
  kSimple,
  kShare,
  kRampMb,
  kExchangeShare,
  kOwnStart,
  kOwnShare,
  kHost,
  kNetworkShare,
  kStagingGbs,
  kNetworkStep,
  kOneWay,
};

constexpr std::array kConstants = {
    ConstantInfo{"ring_start_us", 6.8, 2, 15, kNothing,
                 "kernel of the library's collectives at 1.98 GHz, without its steps"},
    ConstantInfo{"hop_share", 0.84, 0.3, 3, kNothing,
                 "a step of small messages in hops of the link"},
    ConstantInfo{"ll_share", 0.19, 0.1, 0.5, kNothing,
                 "of the link's rate, by words that carry their flag"},
    ConstantInfo{"simple_us", 10, 3, 50, kNothing,
                 "longer start of large messages: flags of whole buffers"},
    ConstantInfo{"share", 0.67, 0.5, 0.95, kGeneration, "of the link's rate, by large messages"},
    ConstantInfo{"ramp_mb", 6, 0, 40, kNothing,
                 "buffers that fill and drain alone at both ends of a long message"},
    ConstantInfo{"exchange_share", 0.98, 0.5, 1, kNothing,
                 "of `share`, when every rank sends to every other at once"},
    ConstantInfo{"own_start_us", 3.5, 1, 8, kEngine, "the engine's own all-reduce at 1.98 GHz"},
    ConstantInfo{"own_share", 0.58, 0.3, 0.95, kNothing,
                 "of the link's rate, by reads of peers' memory"},
    ConstantInfo{"host_us", 35, 8, 90, kEngine | kGeneration,
                 "of the host that launches an eager call (of servers of that chip's years)"},
    ConstantInfo{"network_share", 0.72, 0.3, 0.95, kNothing, "of the adapters' rate"},
    ConstantInfo{"staging_gbs", 5.1, 2, 20, kNothing,
                 "through the host's memory to one adapter, both ways at once"},
    ConstantInfo{"network_step_us", 12, 1, 60, kNothing,
                 "a step across nodes beside the network's latency: host threads that drive it"},
    ConstantInfo{"one_way", 1.5, 1, 1.6, kNothing,
                 "rate of links and staging when data goes one way, over that of both at once"},
};

double count(std::int64_t n) {
  return static_cast<double>(n);
}

/// Microseconds of bytes at gigabytes a second.
double us_of(double bytes, double gbs) {
  return bytes / gbs / 1e3;
}

/// Steps of a ring: each rank sends once in each.
double steps_of(Collective kind, double ranks) {
  switch (kind) {
    case Collective::all_reduce:
      return 2 * (ranks - 1);
    case Collective::all_gather:
    case Collective::reduce_scatter:
      return ranks - 1;
    case Collective::all_to_all:
    case Collective::send_recv:
      return 1;
  }
  return 0;
}

/// Bytes out of one rank, wherever to.
double bytes_moved(const CollectiveCall& call) {
  const double p = count(call.fabric.ranks);
  switch (call.kind) {
    case Collective::all_reduce:
      return 2 * (p - 1) / p * call.bytes;
    case Collective::all_gather:
    case Collective::reduce_scatter:
    case Collective::all_to_all:
      return (p - 1) / p * call.bytes;
    case Collective::send_recv:
      return call.bytes;
  }
  return 0;
}

/// Bytes out of a node, all its ranks together.
double bytes_across(const CollectiveCall& call) {
  const double p = count(call.fabric.ranks);
  const double r = count(call.fabric.ranks_a_node);
  // A ring enters and leaves a node once; of an exchange, each rank's parts for other nodes leave.
  if (call.kind == Collective::all_to_all) return r * call.bytes * (p - r) / p;
  return bytes_moved(call);
}

/// Bytes out of a node by two trees, each for half of an all-reduce: with two nodes, a half goes up
/// and a half down each way; with more, a node passes its children's halves on as well.
double bytes_through_tree(const CollectiveCall& call) {
  return (call.fabric.nodes() == 2 ? 1 : 2) * call.bytes;
}

struct Best {
  double us = 1e300;
  std::string name;
  void offer(double candidate, std::string_view called) {
    if (candidate >= us) return;
    us = candidate;
    name = called;
  }
};

/// The library's collective inside one node.
Best in_node(const CollectiveCall& call, double slow, Constants c) {
  const Fabric& f = call.fabric;
  const double sent = bytes_moved(call);
  const double steps = steps_of(call.kind, count(f.ranks)) * c[kHopShare] * f.link_us;
  const double start = c[kRingStart] * slow + steps;
  Best best;
  best.offer(start + us_of(sent, c[kLlShare] * f.link_gbs), "ring LL");
  if (call.kind == Collective::send_recv) {
    best.offer(start + us_of(sent, std::min(1.0, c[kShare] * c[kOneWay]) * f.link_gbs), "send");
    return best;
  }
  const double share =
      call.kind == Collective::all_to_all ? c[kShare] * c[kExchangeShare] : c[kShare];
  const double ramp = c[kRampMb] * 1e6 * call.bytes / (call.bytes + kRampBytes);
  best.offer(start + c[kSimple] * slow + us_of(sent + ramp, share * f.link_gbs), "ring");
  return best;
}

/// Microseconds of bytes from one node to others.
double across_us(const CollectiveCall& call, double bytes, Constants c) {
  const Fabric& f = call.fabric;
  const double rate = c[kNetworkShare] * f.network_gbs;
  if (!f.staged) return us_of(bytes, rate);
  const bool one_way = call.kind == Collective::send_recv;
  const double staging = f.adapters * c[kStagingGbs] * (one_way ? c[kOneWay] : 1);
  const double ahead = one_way ? std::min(bytes, kStagedAhead) : 0;
  return std::max(us_of(bytes - ahead, rate), us_of(bytes, staging));
}

/// Whether the library takes a tree across nodes, not a ring. It does not time both: it compares
/// what its own tuning table, recalled here, expects of them, and can miss the faster by twice.
bool expects_tree(const CollectiveCall& call) {
  // Of a ring's rate, for messages from 64 bytes on, 128 bytes on, ...
  constexpr std::array kTreeRate = {.9, .9, .9, .9, .9, .9, .9, .8, .7, .6, .6, .5,
                                    .5, .5, .5, .6, .7, .8, .7, .7, .8, .9, .9};
  constexpr double kTreeShare = 0.92, kTreeHopUs = 28;
  constexpr double kRingInsideUs = 1.4 * 3.4, kRingAcrossUs = 1.4 * 14;
  const Fabric& f = call.fabric;
  if (call.kind != Collective::all_reduce || f.in_host) return false;
  const auto octave = static_cast<std::size_t>(std::max(0.0, std::log2(call.bytes / 64)));
  const double rate = kTreeShare * (octave < kTreeRate.size() ? kTreeRate[octave] : 1);
  const double nodes = count(f.nodes());
  const double tree = 2 * kTreeHopUs * (count(f.ranks_a_node - 1) + std::floor(std::log2(nodes))) +
                      us_of(bytes_through_tree(call), rate * f.network_gbs);
  const double ring = 2 * (count(f.ranks) - nodes) * kRingInsideUs +
                      2 * (nodes - 1) * kRingAcrossUs + us_of(bytes_moved(call), f.network_gbs);
  return tree < ring;
}

/// The library's collective across nodes: a ring over all ranks, or a tree over the nodes.
Best across_nodes(const CollectiveCall& call, double slow, Constants c) {
  const Fabric& f = call.fabric;
  const double hop = f.network_us + (f.in_host ? 0 : c[kNetworkStep]);
  const double step = c[kHopShare] * f.link_us;  // inside a node
  const double inside = f.ranks_a_node > 1 ? us_of(bytes_moved(call), c[kShare] * f.link_gbs) : 0;
  double steps = 0, crossing = 0;
  const bool tree = expects_tree(call);
  if (tree) {
    const double levels = std::ceil(std::log2(count(f.nodes())));
    steps = 2 * levels * hop + 2 * count(f.ranks_a_node - 1) * step;
    crossing = bytes_through_tree(call);
  } else {
    // One step of a ring for each node crosses to the next.
    const double across = count(f.nodes()) / count(f.ranks);
    steps = steps_of(call.kind, count(f.ranks)) * (across * hop + (1 - across) * step);
    crossing = bytes_across(call);
  }
  Best best;
  best.offer(c[kRingStart] * slow + steps + std::max(inside, across_us(call, crossing, c)),
             tree ? "tree across nodes" : "ring across nodes");
  return best;
}

Best library(const CollectiveCall& call, double slow, Constants c) {
  return call.fabric.nodes() == 1 ? in_node(call, slow, c) : across_nodes(call, slow, c);
}

/// The largest all-reduce that the engine's own kernels take.
double own_limit(const Situation& s, const Fabric& f) {
  // Peers' memory must be one hop away. Over the host's PCIe only a pair is served, by vLLM and
  // SGLang.
  if (f.nodes() > 1 || f.ranks > 8 || !f.any_peer) return 0;
  if (f.bus && (f.ranks > 2 || s.engine == "trtllm")) return 0;
  if (s.engine == "trtllm") return 8 * kMiB / count(f.ranks);  // its workspace, a part for each
  if (s.engine == "vllm") return 8 * kMiB;
  if (s.engine == "sglang") return (s.generation == "mma" ? 8 : 16) * kMiB;
  return 0;
}

Best own_all_reduce(const CollectiveCall& call, double slow, Constants c) {
  const Fabric& f = call.fabric;
  const double p = count(f.ranks);
  const double rate = c[kOwnShare] * f.link_gbs;
  const double start = c[kOwnStart] * slow;
  Best best;
  best.offer(start + us_of((p - 1) * call.bytes, rate), "one-shot");
  best.offer(start + f.link_us + us_of(bytes_moved(call), rate), "two-shot");
  return best;
}

/// Nothing but hops and bytes.
Best ideal(const CollectiveCall& call) {
  const Fabric& f = call.fabric;
  const double p = count(f.ranks);
  const double r = count(std::min(f.ranks, f.ranks_a_node));
  const double sent = bytes_moved(call);
  Best best;
  if (f.nodes() > 1) {
    // Inside the nodes with all links, then across with all adapters.
    const double phases = call.kind == Collective::all_reduce ? 2 : 1;
    const double inside =
        r > 1 ? phases * (f.link_us + us_of((r - 1) / r * call.bytes, f.link_gbs)) : 0;
    const double leaving = call.kind == Collective::all_to_all  ? bytes_across(call)
                           : call.kind == Collective::send_recv ? call.bytes
                                                                : sent;
    best.offer(inside + phases * f.network_us + us_of(leaving, f.network_gbs), "across nodes");
    return best;
  }
  const double steps =
      f.any_peer ? (call.kind == Collective::all_reduce ? 2 : 1) : steps_of(call.kind, p);
  best.offer(steps * f.link_us + us_of(sent, f.link_gbs), f.any_peer ? "direct" : "ring");
  if (call.kind == Collective::all_reduce && f.any_peer) {
    best.offer(f.link_us + us_of((p - 1) * call.bytes, f.link_gbs), "one-shot");
    if (f.in_switch) best.offer(2 * f.link_us + us_of(call.bytes, f.link_gbs), "in switch");
  }
  return best;
}

}  // namespace

Fabric fabric_of(const Chip& chip, std::int64_t ranks, std::int64_t ranks_a_node) {
  Fabric f;
  f.ranks = ranks;
  const std::int64_t joined = chip.link ? chip.link->max_group : 1;
  f.ranks_a_node = std::min({ranks, joined, ranks_a_node > 0 ? ranks_a_node : ranks});
  if (f.ranks_a_node < ranks && !chip.scale_out) {
    throw InputError(fmt::format(
        "{} chips are more than the {} that {} joins (link.max_group), and no network joins such "
        "groups: choose one of networks/ with --network",
        ranks, joined, chip.name));
  }
  if (chip.link) {
    const Link& l = *chip.link;
    // Links to neighbours outside the group carry nothing.
    const std::int64_t neighbours = f.ranks_a_node - 1;
    const bool some = l.links > 0 && neighbours < l.links;
    f.link_gbs = l.bandwidth.count() / 1e9 *
                 (some ? count(std::max<std::int64_t>(1, neighbours)) / count(l.links) : 1);
    f.link_us = l.latency.count() * 1e6;
    f.bus = l.topology == Topology::bus;
    f.any_peer = f.bus || l.topology == Topology::switched || l.topology == Topology::crossbar ||
                 l.topology == Topology::point_to_point || neighbours <= 1;
    f.in_switch = l.in_switch;
  }
  if (chip.scale_out) {
    f.network_gbs = chip.scale_out->out_of_node(f.ranks_a_node).count() / 1e9;
    f.network_us = chip.scale_out->latency.count() * 1e6;
    f.adapters = count(chip.scale_out->adapters_reached(f.ranks_a_node));
    f.staged = !chip.scale_out->direct;
    f.in_host = chip.scale_out->in_host;
  }
  return f;
}

Sent bytes_sent(const CollectiveCall& call) {
  const Fabric& f = call.fabric;
  const double all = bytes_moved(call);
  if (f.nodes() == 1) return {all, 0};
  if (f.ranks_a_node == 1) return {0, all};
  if (call.kind == Collective::all_to_all) {
    const double across = bytes_across(call) / count(f.ranks_a_node);
    return {all - across, across};
  }
  // What leaves a node leaves it once, for all its ranks.
  const double across = all / count(f.ranks_a_node);
  return {all - across, across};
}

LawInfo collective_law() {
  return {"collective", kConstants};
}

Situation collective_situation(std::string_view engine, std::string_view mode,
                               const Machine& machine) {
  // Servers with newer chips than Hopper have hosts like Hopper's, as far as anybody measured here.
  const std::string_view hosts = machine.generation == "mma" ? "mma" : "wgmma";
  return {std::string(engine), "", std::string(hosts), std::string(mode)};
}

Terms collective_terms(const CollectiveCall& call, const Machine& machine,
                       const Situation& situation, Constants c) {
  Terms t;
  if (call.fabric.ranks < 2) return t;
  if (situation.engine == "ideal") {
    Best best = ideal(call);
    t.work = best.us;
    t.kernel = std::move(best.name);
    return t;
  }
  const double slow = kReferenceGhz / machine.clock_ghz;
  const bool own =
      call.kind == Collective::all_reduce && call.bytes <= own_limit(situation, call.fabric);
  Best best = own ? own_all_reduce(call, slow, c) : library(call, slow, c);
  t.work = best.us;
  t.kernel = std::move(best.name);
  if (situation.kernel == "eager" && call.kind != Collective::send_recv) {
    t.floor = c[kHost];
    // Not in place: vLLM and SGLang copy the message into a buffer that peers can see.
    if (situation.engine != "pytorch") t.after = us_of(2 * call.bytes, machine.dram_stream_gbs);
  }
  return t;
}

}  // namespace presil::kernels
