#include "chip/supply.h"

#include <algorithm>
#include <cmath>

#include "base/integers.h"

namespace presil {
namespace {

/// A line of `length` cores, read in groups of `fan_out` neighbours from its start on.
struct Line {
  std::int64_t length, fan_out, groups;

  Line(std::int64_t cores, std::int64_t together)
      : length(cores), fan_out(together), groups(ceil_div(cores, together)) {}
};

/// Reads over the busiest link along a line of a mesh, when each stop sends every group once. Stops
/// at `ends` of its ends (0, 1 or 2) send `entering` groups past or to each core of the line; each
/// line across it has `turning` stops, whose reads turn into this line where the two meet.
std::int64_t busiest_along(const Line& line, std::int64_t ends, std::int64_t entering,
                           std::int64_t turning) {
  const std::int64_t from_start = ends > 0 ? entering : 0, from_end = ends > 1 ? entering : 0;
  std::int64_t most = from_start * line.length;  // the stop's own link
  // The link into core `at` carries the groups with a core there or behind it, from all that turn
  // before it; the one back out of it those with a core before it. Along one group the loads are
  // straight lines, so their ends are the highest.
  const auto onward = [&](std::int64_t at, std::int64_t sharing) {
    most = std::max(most, from_start * (line.length - at) + turning * at * sharing);
  };
  const auto back = [&](std::int64_t at, std::int64_t sharing) {
    most = std::max(most, from_end * at + turning * (line.length - at) * sharing);
  };
  for (std::int64_t group = 0; group < line.groups; ++group) {
    const std::int64_t first = group * line.fan_out;
    const std::int64_t end = std::min(first + line.fan_out, line.length);
    if (first > 0) onward(first, line.groups - group);
    if (end > 1) onward(end - 1, line.groups - group);
    if (first + 1 < line.length) back(first + 1, group + 1);
    if (end < line.length) back(end, group + 1);
  }
  return most;
}

double busiest_of_mesh(const NocLinks& l, std::int64_t fan_out) {
  const bool all_sides = l.memory == 2 * (l.rows + l.columns);
  const std::int64_t sides = l.memory == l.rows ? 1 : 2;  // left, right
  const std::int64_t above = all_sides ? 2 : 0;           // and below
  const Line row{l.columns, fan_out}, column{l.rows, fan_out};
  // A stop at the left sends the groups of each column behind; a stop above, those of each row.
  const std::int64_t most = std::max(busiest_along(row, sides, column.groups, above),
                                     busiest_along(column, above, row.groups, sides));
  return static_cast<double>(most) / static_cast<double>(l.memory);
}

double busiest_of_ring(const NocLinks& l, std::int64_t cores, std::int64_t fan_out) {
  const std::int64_t apart = cores / l.memory;
  std::int64_t f = std::min(fan_out, apart);
  while (apart % f != 0) --f;
  // The busiest link is one beside a stop. Each stop at `behind` links before it adds the groups
  // that it reaches over it: those of cores behind + 1 to `half` away, the stop's own core being 0.
  const std::int64_t half = cores / 2, other_half = cores - 1 - half;
  std::int64_t clockwise = 0, counter = 0;
  for (std::int64_t behind = 0; behind < half; behind += apart) {
    clockwise += half / f - (behind + 1) / f + 1;
    if (behind < other_half) counter += ceil_div(other_half, f) - ceil_div(behind + 1, f) + 1;
  }
  return static_cast<double>(std::max(clockwise, counter)) / static_cast<double>(l.memory);
}

/// Reads in equal measure of the two whole fan-outs around bytes / read.
double busiest_link(const Chip& chip, double fan_out) {
  const NocLinks& links = *chip.noc.links;
  // Each die has a network of its own.
  const std::int64_t cores = chip.core.count / chip.die.count;
  const auto load = [&](double f) {
    return busiest_link(links, chip.noc.topology, cores, static_cast<std::int64_t>(f));
  };
  const double f = std::clamp(fan_out, 1.0, static_cast<double>(chip.noc.multicast));
  const double less = std::floor(f), more = std::ceil(f);
  if (less == more) return load(f);
  // The share of bytes that come `more` at a time, so that the reads add up.
  const double share = (1 / less - 1 / f) / (1 / less - 1 / more);
  return (1 - share) * load(less) + share * load(more);
}

}  // namespace

double busiest_link(const NocLinks& links, Topology topology, std::int64_t cores,
                    std::int64_t fan_out) {
  switch (topology) {
    case Topology::mesh:
      return busiest_of_mesh(links, fan_out);
    case Topology::ring:
      return busiest_of_ring(links, cores, fan_out);
    default:
      return static_cast<double>(ceil_div(cores, fan_out)) / static_cast<double>(links.memory);
  }
}

std::int64_t longest_way(const NocLinks& links, Topology topology, std::int64_t cores) {
  switch (topology) {
    case Topology::mesh:
      return links.columns + links.rows - 1;
    case Topology::ring:
      return cores / 2;
    default:
      return 1;
  }
}

Seconds network_time(const Chip& chip, const Carried& c) {
  const double ports = c.bytes / (chip.noc.bandwidth.count() * c.share);
  if (!chip.noc.links || c.read <= 0) return Seconds(ports);
  const double each = c.bytes / static_cast<double>(chip.core.count);
  const double links =
      busiest_link(chip, c.bytes / c.read) * each / chip.noc.links->bandwidth.count();
  return Seconds(std::max(ports, links));
}

double die_crossings(const Chip& chip, const Carried& c) {
  if (!chip.die.link) return 0;
  const auto dies = static_cast<double>(chip.die.count);
  // What feeds more cores than a die has goes to several dies.
  const double copies = std::max(c.read, c.bytes * dies / static_cast<double>(chip.core.count));
  return copies * (dies - 1) / dies;
}

Seconds die_link_time(const Chip& chip, const Carried& c) {
  if (!chip.die.link) return Seconds(0);
  return Seconds(die_crossings(chip, c) /
                 (static_cast<double>(chip.die.count) * chip.die.link->bandwidth.count()));
}

Seconds supply_latency(const Chip& chip) {
  Seconds latency(0);
  if (chip.noc.links) {
    const std::int64_t cores = chip.core.count / chip.die.count;
    latency += chip.noc.links->hop *
               static_cast<double>(longest_way(*chip.noc.links, chip.noc.topology, cores));
  }
  if (chip.die.link && chip.die.count > 1) latency += chip.die.link->latency;
  return latency;
}

BytesPerSecond dma_bandwidth(const Dma& dma, std::int64_t cores) {
  const double in_flight = static_cast<double>(cores * dma.queues * dma.outstanding) *
                           static_cast<double>(dma.request.count());
  return BytesPerSecond(in_flight / dma.latency.count());
}

}  // namespace presil
