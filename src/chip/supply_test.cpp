#include "chip/supply.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>
#include <utility>

#include <gtest/gtest.h>

#include "chip/library.h"

namespace presil {
namespace {

const std::filesystem::path kHome = PRESIL_SOURCE_DIR;

/// A link is the router that it leaves and the one that it enters; a stop of memory is a router.
using Router = std::pair<std::int64_t, std::int64_t>;
using Wire = std::pair<Router, Router>;
using Loads = std::map<Wire, double>;

/// One read: each wire that lies on the way to any of its cores carries it once.
class Read {
 public:
  void walk(Router& at, Router to) {
    while (at != to) {
      Router next = at;
      if (at.first != to.first) {
        next.first += at.first < to.first ? 1 : -1;
      } else {
        next.second += at.second < to.second ? 1 : -1;
      }
      step(at, next);
    }
  }
  void step(Router& at, Router next) {
    wires_.insert({at, next});
    at = next;
  }
  void add_to(Loads& loads, double bytes) const {
    for (const Wire& wire : wires_) loads[wire] += bytes;
  }

 private:
  std::set<Wire> wires_;
};

double most(const Loads& loads) {
  double busiest = 0;
  for (const auto& [wire, load] : loads) busiest = std::max(busiest, load);
  return busiest;
}

/// Every byte walks from its stop to its cores, router by router.
double walked_mesh(std::int64_t columns, std::int64_t rows, std::int64_t memory,
                   std::int64_t fan_out) {
  std::vector<std::pair<Router, Router>> stops;  // outside the mesh, and the router beside it
  const bool both = memory > rows, all = memory > 2 * rows;
  for (std::int64_t y = 0; y < rows; ++y) {
    stops.push_back({{-1, y}, {0, y}});
    if (both) stops.push_back({{columns, y}, {columns - 1, y}});
  }
  for (std::int64_t x = 0; all && x < columns; ++x) {
    stops.push_back({{x, -1}, {x, 0}});
    stops.push_back({{x, rows}, {x, rows - 1}});
  }
  EXPECT_EQ(static_cast<std::int64_t>(stops.size()), memory);
  const double bytes = 1.0 / static_cast<double>(memory);
  Loads loads;
  for (const auto& [stop, door] : stops) {
    const bool beside = stop.second == door.second;  // at the left or right
    const std::int64_t lines = beside ? columns : rows, length = beside ? rows : columns;
    for (std::int64_t line = 0; line < lines; ++line) {
      for (std::int64_t first = 0; first < length; first += fan_out) {
        Read read;
        for (std::int64_t i = first; i < std::min(length, first + fan_out); ++i) {
          Router at = stop;
          read.step(at, door);
          const Router turn = beside ? Router{line, door.second} : Router{door.first, line};
          read.walk(at, turn);
          read.walk(at, beside ? Router{line, i} : Router{i, line});
        }
        read.add_to(loads, bytes);
      }
    }
  }
  return most(loads);
}

double walked_ring(std::int64_t cores, std::int64_t memory, std::int64_t fan_out) {
  const double bytes = 1.0 / static_cast<double>(memory);
  Loads loads;
  for (std::int64_t stop = 0; stop < cores; stop += cores / memory) {
    for (std::int64_t first = 0; first < cores; first += fan_out) {
      Read read;
      for (std::int64_t core = first; core < first + fan_out; ++core) {
        const std::int64_t forward = (core - stop + cores) % cores;
        const bool clockwise = forward <= cores / 2;
        Router at{stop, 0};
        while (at.first != core) {
          read.step(at, {(at.first + (clockwise ? 1 : cores - 1)) % cores, 0});
        }
      }
      read.add_to(loads, bytes);
    }
  }
  return most(loads);
}

TEST(Supply, TheBusiestLinkOfAMeshIsThatOfReadsWalkedOneByOne) {
  for (std::int64_t columns = 1; columns <= 6; ++columns) {
    for (std::int64_t rows = 1; rows <= 6; ++rows) {
      for (const std::int64_t memory : {rows, 2 * rows, 2 * (rows + columns)}) {
        for (std::int64_t fan_out = 1; fan_out <= 7; ++fan_out) {
          const NocLinks links{BytesPerSecond(1), Seconds(0), columns, rows, memory};
          EXPECT_NEAR(busiest_link(links, Topology::mesh, columns * rows, fan_out),
                      walked_mesh(columns, rows, memory, fan_out), 1e-9)
              << columns << " x " << rows << ", " << memory << " stops, fan-out " << fan_out;
        }
      }
    }
  }
}

TEST(Supply, TheBusiestLinkOfARingIsThatOfReadsWalkedOneByOne) {
  for (std::int64_t cores = 1; cores <= 24; ++cores) {
    for (std::int64_t memory = 1; memory <= cores; ++memory) {
      if (cores % memory != 0) continue;
      for (std::int64_t fan_out = 1; fan_out <= cores / memory; ++fan_out) {
        if (cores / memory % fan_out != 0) continue;
        const NocLinks links{BytesPerSecond(1), Seconds(0), 0, 0, memory};
        EXPECT_NEAR(busiest_link(links, Topology::ring, cores, fan_out),
                    walked_ring(cores, memory, fan_out), 1e-9)
            << cores << " cores, " << memory << " stops, fan-out " << fan_out;
      }
    }
  }
}

TEST(Supply, AMulticastLoadsNoLinkMoreThanItsReadsApart) {
  for (const std::int64_t memory : {8, 16, 32}) {
    const NocLinks links{BytesPerSecond(1), Seconds(0), 8, 8, memory};
    const double apart = busiest_link(links, Topology::mesh, 64, 1);
    for (std::int64_t fan_out = 2; fan_out <= 64; ++fan_out) {
      EXPECT_LE(busiest_link(links, Topology::mesh, 64, fan_out), apart);
    }
  }
}

Chip with(const std::string& name, const std::vector<std::string>& set) {
  return load_chip(name, set, kHome).chip;
}

TEST(Supply, AStopOfACrossbarIsSharedByAllReadsThatItGives) {
  // 8 cores take 1 GB each in pairs from 2 stops: 2 GB over each stop's link of 100 GB/s.
  const Chip chip =
      with("trainium2", {"noc.multicast=2", "noc.bandwidth=8 TB/s", "noc.links.bandwidth=100 GB/s",
                         "noc.links.hop=10 ns", "noc.links.memory=1"});  // of each of the two dies
  EXPECT_DOUBLE_EQ(network_time(chip, {8e9, 4e9, 1}).count(), 0.02);
  EXPECT_DOUBLE_EQ(supply_latency(chip).count(), 10e-9);
  // Unlimited links leave the ports: 8 GB over 8 TB/s, or over half of it.
  Chip wide = chip;
  wide.noc.links->bandwidth = BytesPerSecond(1e18);
  EXPECT_DOUBLE_EQ(network_time(wide, {8e9, 4e9, 1}).count(), 1e-3);
  EXPECT_DOUBLE_EQ(network_time(wide, {8e9, 4e9, 0.5}).count(), 2e-3);
}

TEST(Supply, ReadsBetweenTwoWholeFanOutsAreAMixOfBoth) {
  const Chip chip =
      with("trainium2", {"noc.multicast=4", "noc.bandwidth=800 TB/s", "noc.links.bandwidth=1 TB/s",
                         "noc.links.hop=0 ns", "noc.links.memory=1"});
  // 8 TB in 7 T reads are 6 TB alone and 2 TB in pairs. The stop of a die of 4 cores gives 4 reads
  // alone or 2 in pairs: 3/4 x 4 + 1/4 x 2 = 3.5 of the terabyte that a core takes.
  EXPECT_NEAR(network_time(chip, {8e12, 7e12, 1}).count(), 3.5, 1e-9);
}

TEST(Supply, HalfOfWhatTwoDiesReadCrosses) {
  const Chip one = with("apple-m2-ultra", {"die.count=2"});
  Chip chip = one;
  chip.die.link = DieLink{BytesPerSecond(1e12), Seconds(20e-9), {}};
  chip.noc.multicast = 76;
  // Read alone: half crosses, a quarter into each die at 1 TB/s.
  EXPECT_DOUBLE_EQ(die_crossings(chip, {8e9, 8e9, 1}), 4e9);
  EXPECT_DOUBLE_EQ(die_link_time(chip, {8e9, 8e9, 1}).count(), 2e-3);
  // Each read feeds all 76 cores: it crosses once, wherever it lies.
  EXPECT_DOUBLE_EQ(die_crossings(chip, {76e9, 1e9, 1}), 1e9);
  // Or the 38 of one die: as if it were read alone.
  EXPECT_DOUBLE_EQ(die_crossings(chip, {38e9, 1e9, 1}), 0.5e9);
  EXPECT_DOUBLE_EQ(supply_latency(chip).count(), 20e-9);
  chip.die.count = 1;
  EXPECT_EQ(die_crossings(chip, {8e9, 8e9, 1}), 0);
  EXPECT_EQ(supply_latency(chip), Seconds(0));
}

TEST(Supply, QueuesGiveWhatIsInFlightOverItsLatency) {
  // 16 queues x 8 requests x 512 B in 1 us: 65.536 GB/s a core.
  const Dma dma{16, 8, Bytes(512), Seconds(1e-6), Seconds(0)};
  EXPECT_DOUBLE_EQ(dma_bandwidth(dma, 1).count(), 65.536e9);
  EXPECT_DOUBLE_EQ(dma_bandwidth(dma, 8).count(), 8 * 65.536e9);
}

}  // namespace
}  // namespace presil
