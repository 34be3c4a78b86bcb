#include "silicon/collective_rows.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include <fmt/format.h>

namespace presil::silicon {
namespace {

using kernels::Collective;

// Twelve links of 25 GB/s: a pair of NVLink bridges, of A100 and H100 alike.
constexpr BytesPerSecond kBridge{300e9};

std::optional<Collective> kind_of(std::string_view kind) {
  if (kind == "all_reduce") return Collective::all_reduce;
  if (kind == "all_gather") return Collective::all_gather;
  if (kind == "reduce_scatter") return Collective::reduce_scatter;
  if (kind == "alltoall" || kind == "all_to_all") return Collective::all_to_all;
  if (kind == "send_recv") return Collective::send_recv;
  return {};
}

/// N of "per_node_N" in a kernel's name, or 0.
std::int64_t ranks_a_node(std::string_view kernel) {
  constexpr std::string_view kKey = "per_node_";
  const std::size_t at = kernel.find(kKey);
  std::int64_t n = 0;
  if (at != std::string_view::npos) {
    const std::string_view digits = kernel.substr(at + kKey.size());
    std::from_chars(digits.data(), digits.data() + digits.size(), n);
  }
  return n;
}

/// The clusters of Vidur's rows, as its profiles name them. Their networks are not described
/// anywhere; those that behave so are in networks/.
std::string network_of(const Row& row, bool pairwise, std::int64_t per_node, double slot_gbs) {
  if (pairwise && per_node == 1) return "ethernet-25g";
  if (pairwise) return slot_gbs > 40 ? "pcie-5-x16" : "pcie-4-x16";
  return row.chip.starts_with("A100") ? "ethernet-100g" : "infiniband-ndr";
}

}  // namespace

std::variant<JudgedCollective, std::string> judge_collective(
    const Row& row, const kernels::Machine& machine, const Chip& chip,
    const std::function<ScaleOut(const std::string& name)>& networks) {
  const std::optional<Collective> kind = kind_of(row.kind);
  if (!kind) return fmt::format("no collective is called '{}'", row.kind);
  if (row.tp < 2) return "a group of fewer than two";
  if (!chip.link) return "the chip has no link";

  Chip cluster = chip;
  const std::int64_t per_node = ranks_a_node(row.kernel);
  if (per_node > 0) {
    const bool pairwise = row.kernel.find("pairwise") != std::string::npos ||
                          chip.link->max_group < std::min(per_node, row.tp);
    if (pairwise) {
      cluster.link->bandwidth = std::min(cluster.link->bandwidth, kBridge);
      cluster.link->topology = Topology::point_to_point;
      cluster.link->max_group = 2;
      cluster.link->links = 0;
    }
    // Cards of Hopper's generation and later sit in slots of PCIe 5.
    const double slot_gbs = machine.generation == "mma" ? 31.5 : 63;
    cluster.scale_out = networks(network_of(row, pairwise, per_node, slot_gbs));
  } else if (row.tp > cluster.link->max_group && !cluster.scale_out) {
    return "a group larger than the links join";
  }
  JudgedCollective judged;
  const bool eager = row.kernel.find("eager") != std::string::npos;
  // Vidur timed PyTorch's calls from the host.
  const bool vidur = row.backend_version.starts_with("vidur");
  judged.situation = kernels::collective_situation(vidur ? "pytorch" : row.backend,
                                                   eager || vidur ? "eager" : "graph", machine);
  judged.call = {*kind, row.bytes, kernels::fabric_of(cluster, row.tp, per_node)};
  return judged;
}

}  // namespace presil::silicon
