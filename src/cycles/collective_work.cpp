#include "cycles/collective_work.h"

#include <algorithm>

namespace presil {
namespace {

using kernels::Collective;

Collective kind_of(Op op) {
  switch (op) {
    case Op::all_reduce:
      return Collective::all_reduce;
    case Op::all_gather:
      return Collective::all_gather;
    case Op::reduce_scatter:
      return Collective::reduce_scatter;
    case Op::all_to_all:
      return Collective::all_to_all;
    case Op::send_recv:
      return Collective::send_recv;
    default:
      throw InternalError("cycles: not an exchange between chips");
  }
}

/// The chips that exchange; of send_recv the ranks of one group, each of which sends.
std::int64_t group_of(const KernelMeter& meter) {
  return meter.kernel().group;
}

/// From a rank to the rank of the next group: over the links when both groups fit into one node,
/// else over the network, which the ranks of a node share.
kernels::Fabric fabric_of_pair(const Chip& chip, std::int64_t group) {
  const std::int64_t joined = chip.link ? chip.link->max_group : 1;
  if (2 * group <= joined) return kernels::fabric_of(chip, 2);
  kernels::Fabric f = kernels::fabric_of(chip, 2, 1);
  const std::int64_t senders = std::min(group, joined);
  f.network_gbs = chip.scale_out->out_of_node(senders).count() / 1e9 / static_cast<double>(senders);
  return f;
}

Bytes whole(double bytes) {
  return Bytes(static_cast<std::int64_t>(bytes));
}

}  // namespace

bool is_collective(Op op) {
  return op == Op::all_reduce || op == Op::all_gather || op == Op::reduce_scatter ||
         op == Op::all_to_all || op == Op::send_recv;
}

kernels::CollectiveCall collective_call(const KernelMeter& meter) {
  const Chip& chip = meter.chip();
  const std::int64_t group = group_of(meter);
  kernels::CollectiveCall call;
  call.kind = kind_of(meter.kernel().op);
  call.bytes = static_cast<double>(meter.bytes(meter.kernel().inputs.front()));
  if (call.kind == Collective::all_gather) call.bytes *= static_cast<double>(group);
  call.fabric = call.kind == Collective::send_recv ? fabric_of_pair(chip, group)
                                                   : kernels::fabric_of(chip, group);
  return call;
}

void count_collective(KernelMeter& meter) {
  const kernels::CollectiveCall call = collective_call(meter);
  const kernels::Situation ideal{"ideal", "", "", ""};
  const kernels::Sent sent = kernels::bytes_sent(call);
  const double us = total_us(collective_terms(call, kernels::Machine{}, ideal, {}), 0);
  meter.link(to_picoseconds(Seconds(us * 1e-6)), whole(sent.link), whole(sent.network));
}

}  // namespace presil
