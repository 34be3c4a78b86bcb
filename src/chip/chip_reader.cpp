#include "chip/chip.h"

#include <fmt/format.h>

#include "base/describe.h"
#include "base/quantity_text.h"
#include "chip/dram_file.h"

namespace presil {
namespace {

constexpr Choice<Control> kControls[] = {{"static", Control::static_schedule},
                                         {"queues", Control::queues},
                                         {"dynamic", Control::dynamic}};
constexpr Choice<Issue> kIssues[] = {{"none", Issue::none},   {"mma", Issue::mma},
                                     {"wgmma", Issue::wgmma}, {"tcgen05", Issue::tcgen05},
                                     {"mfma", Issue::mfma},   {"xmx", Issue::xmx}};
constexpr Choice<Dataflow> kDataflows[] = {{"weight_stationary", Dataflow::weight_stationary},
                                           {"output_stationary", Dataflow::output_stationary}};
constexpr Choice<Managed> kManaged[] = {{"software", Managed::software}, {"cache", Managed::cache}};
constexpr Choice<Topology> kTopologies[] = {{"crossbar", Topology::crossbar},
                                            {"mesh", Topology::mesh},
                                            {"ring", Topology::ring},
                                            {"bus", Topology::bus},
                                            {"torus", Topology::torus},
                                            {"switched", Topology::switched},
                                            {"point_to_point", Topology::point_to_point}};
constexpr Range kCount{1, 1e6};
constexpr Range kShare{0, 1};
constexpr Bytes kLargestSram{std::int64_t{1} << 40};
constexpr Bytes kLargestRequest{1 << 20};
constexpr Seconds kLongestLatency{1e-3};
constexpr Seconds kLongestHop{1e-6};
constexpr Range kMeshSide{1, 1024};
constexpr std::int64_t kLongestRing = 1024;

MatrixEngine read_matrix(Fields& f) {
  MatrixEngine m;
  m.issue = f.choice_or<Issue>("issue", "how kernels program it; none: tile by tile", kIssues,
                               Issue::none);
  m.dataflow = f.choice<Dataflow>("dataflow", "what stays while the rest streams", kDataflows);
  m.m = f.integer("m", "rows of the native block; 1 for weight_stationary", {1, 65536});
  m.n = f.integer("n", "columns of the native block", {1, 65536});
  m.k = f.integer("k", "depth of the native block", {1, 65536});
  m.macs_per_cycle = f.numbers_by<Format>(
      "macs_per_cycle", "multiply-accumulates a cycle of one core, by operand format",
      format_choices());
  f.require(!m.macs_per_cycle.empty(), "macs_per_cycle", "expected at least one format");
  m.clock = f.maybe<Hertz>("clock", "when it differs from the core's");
  m.preload_cycles = f.integer_or("preload_cycles",
                                  "weight_stationary: cycles to load one k x n block", 0, {0, 1e6});
  m.preload_overlapped =
      f.flag_or("preload_overlapped", "the next block loads while this one computes", true);
  return m;
}

VectorEngine read_vector(Fields& f) {
  VectorEngine v;
  v.flops_per_cycle =
      f.number("flops_per_cycle", "fp32, of one core; a multiply-add counts two", {1e-3, 1e9});
  v.exp_per_cycle = f.number("exp_per_cycle", "exponentials of one core", {1e-3, 1e9});
  v.clock = f.maybe<Hertz>("clock", "when it differs from the core's");
  return v;
}

LocalMemory read_local_memory(Fields& f) {
  LocalMemory m;
  m.size = f.quantity<Bytes>("size", "of one core");
  f.require(m.size <= kLargestSram, "size", "expected at most 1 TiB");
  m.read = f.quantity<BytesPerCycle>("read", "what feeds the core's engines");
  return m;
}

Core read_core(Fields& f) {
  Core core;
  core.count = f.integer("count", "cores sold, on all dies", kCount);
  core.clock = f.quantity<Hertz>("clock", "the clock that peaks are quoted at");
  core.boost = f.maybe<Hertz>("boost", "the highest clock, while power allows it");
  core.matrix = f.map("matrix", "matrix engine of one core", read_matrix);
  core.vector = f.map("vector", "vector engine of one core", read_vector);
  core.sram = f.map("sram", "memory beside one core", read_local_memory);
  return core;
}

SharedMemory read_shared_memory(Fields& f) {
  SharedMemory m;
  m.size = f.quantity<Bytes>("size", "of the whole chip");
  f.require(m.size <= kLargestSram, "size", "expected at most 1 TiB");
  m.read = f.quantity<BytesPerSecond>("read", "of all cores together");
  m.managed = f.choice_or<Managed>("managed", "who decides what stays", kManaged, m.managed);
  m.usable = f.number_or("usable", "share of the size that keeps data for reuse", 1, {0.01, 1});
  return m;
}

/// A latency on a chip or in a package.
Seconds read_latency(Fields& f, std::string_view name, std::string_view doc, Sign sign,
                     Seconds longest = kLongestLatency) {
  const Seconds latency = f.quantity<Seconds>(name, doc, sign);
  f.require(latency <= longest, name, "expected at most " + to_string(longest));
  return latency;
}

NocLinks read_noc_links(Fields& f, Topology topology) {
  NocLinks l;
  l.bandwidth = f.quantity<BytesPerSecond>("bandwidth", "of one link, one direction");
  l.hop = read_latency(f, "hop", "latency of one link", Sign::non_negative, kLongestHop);
  l.columns = f.integer_or("columns", "mesh: cores of a row of one die", 0, kMeshSide);
  l.rows = f.integer_or("rows", "mesh: cores of a column of one die", 0, kMeshSide);
  l.memory =
      f.integer("memory",
                "stops of memory of one die; mesh: at the ends of its rows on one side (rows) "
                "or two (2 x rows), or on all sides (2 x rows + 2 x columns)",
                kCount);
  const bool mesh = topology == Topology::mesh;
  f.require(mesh || topology == Topology::ring || topology == Topology::crossbar, "bandwidth",
            "links are known of noc.topology crossbar, mesh and ring");
  f.require(mesh == (l.columns > 0 && l.rows > 0) && (mesh || l.columns + l.rows == 0),
            f.has("columns") ? "columns" : "rows",
            "expected columns and rows of a mesh, and of nothing else");
  f.require(
      !mesh || l.memory == l.rows || l.memory == 2 * l.rows || l.memory == 2 * (l.rows + l.columns),
      "memory",
      fmt::format("expected {} (one side), {} (two) or {} (all sides)", l.rows, 2 * l.rows,
                  2 * (l.rows + l.columns)));
  return l;
}

Network read_network(Fields& f) {
  Network n;
  n.topology = f.choice<Topology>("topology", "shape", kTopologies);
  n.bandwidth = f.quantity<BytesPerSecond>("bandwidth", "into all cores together");
  n.multicast =
      f.integer_or("multicast", "cores that one read of shared memory can feed", 1, kCount);
  n.mean_hops = f.number_or("mean_hops", "hops of a mean transfer, for energy", 1, {0, 1000});
  n.links = f.maybe_map("links", "link by link, for contention",
                        [&](Fields& links) { return read_noc_links(links, n.topology); });
  return n;
}

Dma read_dma(Fields& f) {
  Dma d;
  d.queues = f.integer("queues", "of one core", {1, 1024});
  d.outstanding = f.integer("outstanding", "requests that a queue keeps in flight", {1, 65536});
  d.request = f.quantity<Bytes>("request", "of one request");
  f.require(d.request <= kLargestRequest, "request", "expected at most 1 MiB");
  d.latency = read_latency(f, "latency", "from a request to its data, DRAM included, unloaded",
                           Sign::positive);
  d.setup = read_latency(f, "setup", "from a descriptor to its first request", Sign::non_negative);
  return d;
}

DieLink read_die_link(Fields& f) {
  DieLink l;
  l.bandwidth =
      f.quantity<BytesPerSecond>("bandwidth", "into one die from all others, one direction");
  l.latency = read_latency(f, "latency", "from die to die", Sign::non_negative);
  l.energy = f.band("energy", "of a bit that crosses, both ends", Dimension::joules_per_bit);
  return l;
}

Link read_link(Fields& f) {
  Link l;
  l.topology = f.choice<Topology>("topology", "shape", kTopologies);
  l.bandwidth = f.quantity<BytesPerSecond>("bandwidth", "out of one chip, one direction");
  l.latency = f.quantity<Seconds>("latency", "of one hop, software included");
  l.max_group = f.integer("max_group", "chips that can be joined", kCount);
  l.links = f.integer_or(
      "links", "equal links, each to another neighbour; 0: any peer can be sent all of bandwidth",
      0, {0, 1024});
  l.in_switch = f.flag_or("in_switch", "the switch can add what chips send", false);
  f.require(
      l.links != 1 || l.max_group <= 2, "links",
      fmt::format("one link reaches one neighbour: a group of {} is not connected", l.max_group));
  f.require(!l.in_switch || l.topology == Topology::switched, "in_switch",
            "expected topology: switched");
  l.energy = f.band("energy", "of a bit sent, both ends", Dimension::joules_per_bit);
  return l;
}

Power read_power(Fields& f) {
  Power p;
  p.limit = f.quantity<Watts>("limit", "of the chip or its board");
  p.idle = f.quantity<Watts>("idle", "drawn whatever runs, leakage and refresh included");
  p.active = f.quantity_or<Watts>(
      "active", "drawn by running cores beside idle and events, at the full clock", Watts(0));
  p.min_clock = f.number_or("min_clock", "lowest step, as a share of core.clock", 0.5, {0.05, 1});
  p.control_overhead =
      f.number("control_overhead", "energy of an operation over its bare arithmetic's", {1, 100});
  f.require(p.idle < p.limit, "idle", "expected less than power.limit");
  f.require((p.idle + p.active) < p.limit, "active", "expected less than is left beside idle");
  return p;
}

Launch read_launch(Fields& f) {
  Launch l;
  l.eager = f.quantity<Seconds>("eager", "gap when each kernel is launched from the host",
                                Sign::non_negative);
  l.stream = f.quantity<Seconds>("stream", "gap when kernels are queued", Sign::non_negative);
  l.graph =
      f.quantity<Seconds>("graph", "gap when a recorded graph is replayed", Sign::non_negative);
  l.prefetch =
      f.flag_or("prefetch", "the next kernel's weights may load before this one ends", false);
  return l;
}

Die read_die(Fields& f, std::int64_t cores) {
  Die d;
  d.area = f.maybe<SquareMillimetres>("area", "of one die; the sum of its blocks when absent")
               .value_or(SquareMillimetres(0));
  d.blocks = f.maps_or_none("blocks", "what one die is made of", read_die_block);
  f.require(f.has("area") || !d.blocks.empty(), "area", "expected an area or a list of blocks");
  d.node = f.text("node", "a file in nodes/");
  d.count = f.integer_or("count", "equal dies in the package", 1, {1, 256});
  d.enabled = f.integer_or("enabled", "cores sold of one die; core.count / count when absent",
                           cores / d.count, kCount);
  d.physical =
      f.integer_or("physical", "cores etched on one die; enabled when absent", d.enabled, kCount);
  d.core_share =
      f.number_or("core_share", "share of the area that is cores, for harvesting", 0, kShare);
  d.link =
      f.maybe_map("link", "joins two and more dies; without it they work as one", read_die_link);
  f.require(d.count * d.enabled == cores, f.has("enabled") ? "enabled" : "count",
            "count x enabled must equal core.count");
  f.require(d.enabled <= d.physical, "physical", "expected at least as many cores as are enabled");
  return d;
}

PackageChoice read_package_choice(Fields& f) {
  PackageChoice p;
  p.kind = f.text("kind", "a file in packages/");
  p.interposer = f.maybe<SquareMillimetres>("interposer", "area, when it is known");
  return p;
}

/// What is wrong with the links of a network for the cores of a die; "" if nothing is.
std::string links_complaint(const NocLinks& l, const Chip& chip) {
  const std::int64_t cores = chip.core.count / chip.die.count;
  if (chip.noc.topology == Topology::mesh && l.columns * l.rows != cores) {
    return fmt::format("links: {} x {} cores, and a die has {}; give columns and rows of as many",
                       l.columns, l.rows, cores);
  }
  if (chip.noc.topology == Topology::ring && cores > kLongestRing) {
    return fmt::format("links: a ring of {} cores on a die; expected at most {}", cores,
                       kLongestRing);
  }
  if (chip.noc.topology == Topology::ring && cores % l.memory != 0) {
    return fmt::format(
        "links: {} stops of memory are not evenly spaced among the {} cores of a die", l.memory,
        cores);
  }
  return "";
}

Chip read_fields(Fields& f) {
  Chip chip;
  chip.name = f.text("name", "name of the chip, as its file is called");
  chip.vendor = f.text_or("vendor", "who designed it", "");
  chip.year = f.text_or("year", "of its announcement", "");
  chip.alias = f.texts_or_none("alias", "names used in measured data and in the news");
  chip.control = f.choice<Control>("control", "who decides what runs next", kControls);
  chip.core = f.map("core", "cores, all equal", read_core);
  chip.sram = f.maybe_map("sram", "memory that all cores share", read_shared_memory);
  chip.noc = f.map("noc", "what carries data to the cores", read_network);
  const auto dram = f.maybe_map("dram",
                                "stacks and how they are driven; without it all is kept in "
                                "sram, which software manages",
                                read_dram);
  if (dram) {
    chip.dram = *dram;
  } else {
    chip.dram.part = Dram::kOnChip;
    f.require(chip.sram && chip.sram->managed == Managed::software, "dram",
              "expected a DRAM, or sram that software manages, to keep weights in");
  }
  chip.dma = f.maybe_map("dma", "queues that fetch from DRAM", read_dma);
  chip.link = f.maybe_map("link", "what joins chips into a group", read_link);
  chip.network =
      f.text_or("network", "a file in networks/: joins groups larger than the link's", "");
  chip.power = f.map("power", "limits and idle draw", read_power);
  chip.launch = f.map("launch", "from the end of a kernel to the start of the next", read_launch);
  chip.die = f.map("die", "silicon", [&](Fields& die) { return read_die(die, chip.core.count); });
  if (chip.noc.links) {
    const std::string wrong = links_complaint(*chip.noc.links, chip);
    f.require(wrong.empty(), "noc", wrong);
  }
  chip.package = f.map("package", "what holds dies and stacks", read_package_choice);
  f.raw("numerics", "a file in numerics/, or {base: NAME, ...} with fields of it changed");
  chip.price = f.maybe_band("price", "what a buyer pays for one", Dimension::usd);
  return chip;
}

}  // namespace

std::string_view to_string(LaunchMode mode) {
  switch (mode) {
    case LaunchMode::eager:
      return "eager";
    case LaunchMode::stream:
      return "stream";
    case LaunchMode::graph:
      return "graph";
  }
  return "";
}

std::string_view to_string(Issue issue) {
  for (const auto& c : kIssues) {
    if (c.value == issue) return c.name;
  }
  return "none";
}

Chip read_chip(const Node& root) {
  Sources sources;
  Chip chip = read_file(root, "chip", read_fields, &sources);
  chip.sources = std::move(sources);
  return chip;
}

Schema chip_schema() {
  return describe_file("chip", "a chip", read_fields);
}

}  // namespace presil
