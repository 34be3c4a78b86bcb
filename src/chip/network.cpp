#include "chip/network.h"

#include <algorithm>

#include "base/describe.h"
#include "base/integers.h"

namespace presil {
namespace {

constexpr Range kCount{1, 1024};
constexpr Range kCountOrNone{0, 1024};

ScaleOut read_fields(Fields& f) {
  ScaleOut s;
  s.name = f.text("name", "name of the network, as its file is called");
  s.bandwidth = f.quantity<BytesPerSecond>("bandwidth", "of one adapter, one direction");
  s.adapters =
      f.integer_or("adapters", "of a node, at most; 0: as many as its chips need", 0, kCountOrNone);
  s.chips_per_adapter =
      f.integer_or("chips_per_adapter", "chips that share the adapter next to them", 1, kCount);
  s.latency = f.quantity<Seconds>("latency", "from adapter to adapter, switches included");
  s.in_host = f.flag_or("in_host", "the PCIe of one host, which joins pairs of its chips", false);
  s.direct = f.flag_or(
      "direct", "adapters read chips' memory; else data is staged in the host's memory", true);
  s.energy = f.band("energy", "of a bit sent, both ends and switches", Dimension::joules_per_bit);
  s.price =
      f.maybe_band("price", "an adapter with its share of switches and cables", Dimension::usd);
  return s;
}

}  // namespace

std::int64_t ScaleOut::adapters_reached(std::int64_t ranks) const {
  const std::int64_t beside = ceil_div(ranks, chips_per_adapter);
  return adapters == 0 ? beside : std::min(adapters, beside);
}

BytesPerSecond ScaleOut::out_of_node(std::int64_t ranks) const {
  return bandwidth * static_cast<double>(adapters_reached(ranks));
}

ScaleOut read_scale_out(const Node& root) {
  Sources sources;
  ScaleOut network = read_file(root, "network", read_fields, &sources);
  network.sources = std::move(sources);
  return network;
}

Schema scale_out_schema() {
  return describe_file("network", "what joins groups of chips", read_fields);
}

}  // namespace presil
