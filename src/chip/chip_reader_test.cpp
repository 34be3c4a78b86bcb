#include <gtest/gtest.h>

#include "chip/chip.h"

namespace presil {
namespace {

constexpr std::string_view kChip = R"(presil: chip/1
name: tiny
control: queues
core:
  count: 4
  clock: 1 GHz
  matrix: {dataflow: weight_stationary, m: 1, n: 8, k: 8, macs_per_cycle: {int8: 64}}
  vector: {flops_per_cycle: 8, exp_per_cycle: 1}
  sram: {size: 64 KiB, read: 32 B/cycle}
noc: {topology: mesh, bandwidth: 100 GB/s}
dram: {part: lpddr5-6400, stacks: 1}
power: {limit: 5 W, idle: 1 W, control_overhead: 2}
launch: {eager: 5 us, stream: 2 us, graph: 1 us}
die: {area: 20 mm2, node: tsmc-n7}
package: {kind: fcbga}
)";

Node parse(std::string text) {
  return parse_document(std::make_shared<Source>(Source{"tiny.yaml", std::move(text)}),
                        Syntax::yaml);
}

std::string changed(std::string_view from, std::string_view to) {
  std::string text(kChip);
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

/// The complaints about a chip, one a line as "line:column message".
std::string complaints(const std::string& text) {
  try {
    read_chip(parse(text));
  } catch (const InputError& e) {
    std::string all;
    for (const Diagnostic& d : e.diagnostics()) {
      all += std::to_string(d.line) + ":" + std::to_string(d.column) + " " + d.message + "\n";
    }
    return all;
  }
  return "";
}

TEST(ChipReader, ReadsEveryGroupAndFillsInWhatIsLeftOut) {
  const Chip chip = read_chip(parse(std::string(kChip)));

  EXPECT_EQ(chip.name, "tiny");
  EXPECT_EQ(chip.core.count, 4);
  EXPECT_EQ(chip.core.matrix.macs_per_cycle.at(Format::int8), 64);
  EXPECT_EQ(chip.core.sram.size, 64_KiB);
  EXPECT_FALSE(chip.sram.has_value());
  EXPECT_FALSE(chip.link.has_value());
  EXPECT_EQ(chip.dram.rate, BitsPerSecond(0));  // the part's own
  EXPECT_EQ(chip.die.enabled, 4);               // core.count / die.count
  EXPECT_EQ(chip.die.physical, 4);
}

TEST(ChipReader, ReportsAllComplaintsOfAFileAtOnce) {
  std::string text = changed("clock: 1 GHz", "clock: 1");
  text.replace(text.find("stacks: 1"), 9, "stacsk: 1");

  const std::string all = complaints(text);

  EXPECT_NE(all.find("core.clock: expected a value with its unit"), std::string::npos) << all;
  EXPECT_NE(all.find("unknown key 'stacsk' in dram; did you mean 'stacks'?"), std::string::npos)
      << all;
  EXPECT_NE(all.find("missing 'dram.stacks'"), std::string::npos) << all;
}

TEST(ChipReader, RefusesWhatCannotBe) {
  const auto refuses = [](std::string_view from, std::string_view to, std::string_view message) {
    const std::string all = complaints(changed(from, to));
    EXPECT_NE(all.find(message), std::string::npos) << to << " gave: " << all;
  };
  refuses("idle: 1 W", "idle: 6 W", "power.idle: expected less than power.limit");
  refuses("size: 64 KiB", "size: -1 KiB", "core.sram.size: expected a value above zero");
  refuses("size: 64 KiB", "size: 2 TiB", "core.sram.size: expected at most 1 TiB");
  refuses("{int8: 64}", "{}", "core.matrix.macs_per_cycle: expected at least one format");
  refuses("{int8: 64}", "{int9: 64}", "unknown key 'int9'");
  refuses("area: 20 mm2", "area: 20 mm2, count: 3", "die.count: count x enabled must equal");
  refuses("area: 20 mm2", "area: 20 mm2, physical: 3", "die.physical: expected at least as many");
  refuses("topology: mesh", "topology: mush", "did you mean 'mesh'?");
  refuses("count: 4", "count: 4.5", "core.count: expected a whole number");
}

TEST(ChipReader, DescribesTheFieldsItReads) {
  const Schema schema = chip_schema();

  std::vector<std::string> names;
  for (const Schema& field : schema.fields) names.push_back(field.name);
  const std::vector<std::string> expected = {"presil",  "name",    "vendor",   "year",  "alias",
                                             "control", "core",    "sram",     "noc",   "dram",
                                             "dma",     "link",    "network",  "power", "launch",
                                             "die",     "package", "numerics", "price", "sources"};
  EXPECT_EQ(names, expected);
}

TEST(ChipReader, ReadsWhatBringsDataToTheCores) {
  const Chip plain = read_chip(parse(std::string(kChip)));
  EXPECT_FALSE(plain.noc.links || plain.dma || plain.die.link);

  std::string text =
      changed("GB/s}",
              "GB/s, links: {bandwidth: 10 GB/s, hop: 2 ns, columns: 2, rows: 1, memory: 2}}\n"
              "dma: {queues: 2, outstanding: 8, request: 256 B, latency: 1 us, setup: 0 us}");
  text.replace(text.find("20 mm2"), 6,
               "20 mm2, count: 2, link: {bandwidth: 1 TB/s, latency: 5 ns, energy: 1 pJ/bit}");
  const Chip chip = read_chip(parse(text));

  EXPECT_EQ(chip.noc.links->memory, 2);
  EXPECT_EQ(chip.noc.links->columns, 2);
  EXPECT_EQ(chip.dma->request, Bytes(256));
  EXPECT_EQ(chip.dma->setup, Seconds(0));
  EXPECT_EQ(chip.die.link->bandwidth, BytesPerSecond(1e12));
}

TEST(ChipReader, RefusesLinksThatJoinNoCores) {
  const auto refuses = [](const std::string& topology, const std::string& links,
                          std::string_view message) {
    const std::string all = complaints(changed(
        "mesh, bandwidth: 100 GB/s", topology + ", bandwidth: 100 GB/s, links: {" + links + "}"));
    EXPECT_NE(all.find(message), std::string::npos) << links << " gave: " << all;
  };
  const std::string each = "bandwidth: 10 GB/s, hop: 2 ns, ";
  refuses("mesh", each + "columns: 2, rows: 2, memory: 3",
          "noc.links.memory: expected 2 (one side), 4 (two) or 8 (all sides)");
  refuses("mesh", each + "columns: 2, rows: 3, memory: 3",
          "noc: links: 2 x 3 cores, and a die has 4");
  refuses("mesh", each + "memory: 1", "expected columns and rows of a mesh, and of nothing else");
  refuses("ring", each + "columns: 2, rows: 2, memory: 2",
          "noc.links.columns: expected columns and rows of a mesh, and of nothing else");
  refuses("ring", each + "memory: 3",
          "noc: links: 3 stops of memory are not evenly spaced among the 4 cores of a die");
  refuses("ring", each + "memory: 0", "noc.links.memory: expected");
  std::string large = changed("mesh, bandwidth: 100 GB/s",
                              "ring, bandwidth: 100 GB/s, links: {" + each + "memory: 1}");
  large.replace(large.find("count: 4"), 8, "count: 2000");
  EXPECT_NE(complaints(large).find("a ring of 2000 cores on a die; expected at most 1024"),
            std::string::npos);
  refuses("torus", each + "memory: 1", "links are known of noc.topology crossbar, mesh and ring");
  refuses("mesh", "bandwidth: 0 GB/s, hop: 2 ns, columns: 2, rows: 2, memory: 2",
          "noc.links.bandwidth: expected a value above zero");
  refuses("mesh", "bandwidth: 10 GB/s, hop: 2 s, columns: 2, rows: 2, memory: 2",
          "noc.links.hop: expected at most 1 us");
}

TEST(ChipReader, RefusesQueuesAndDieLinksThatCannotBe) {
  const auto refuses = [](std::string_view from, const std::string& to, std::string_view message) {
    const std::string all = complaints(changed(from, to));
    EXPECT_NE(all.find(message), std::string::npos) << to << " gave: " << all;
  };
  const auto dma = [&](const std::string& fields, std::string_view message) {
    refuses("power:", "dma: {" + fields + "}\npower:", message);
  };
  dma("queues: 0, outstanding: 8, request: 256 B, latency: 1 us, setup: 0 us",
      "dma.queues: expected");
  dma("queues: 1, outstanding: 100000, request: 256 B, latency: 1 us, setup: 0 us",
      "dma.outstanding: expected");
  dma("queues: 1, outstanding: 8, request: 1 GiB, latency: 1 us, setup: 0 us",
      "dma.request: expected at most 1 MiB");
  dma("queues: 1, outstanding: 8, request: 256 B, latency: 0 us, setup: 0 us",
      "dma.latency: expected a value above zero");
  dma("queues: 1, outstanding: 8, request: 256 B, latency: 1 us, setup: 2 ms",
      "dma.setup: expected at most 1 ms");
  refuses("20 mm2", "20 mm2, count: 2, link: {bandwidth: 0 TB/s, latency: 5 ns, energy: 1 pJ/bit}",
          "die.link.bandwidth: expected a value above zero");
}

TEST(ChipReader, ALinkThatReachesOneNeighbourJoinsNoMoreThanTwo) {
  const auto with_link = [](const std::string& link) {
    return complaints(changed("power:", "link: {" + link + "}\npower:"));
  };
  const std::string link = "bandwidth: 50 GB/s, latency: 1 us, energy: 5 pJ/bit";
  EXPECT_EQ(with_link("topology: ring, max_group: 2, links: 1, " + link), "");
  EXPECT_NE(with_link("topology: ring, max_group: 4, links: 1, " + link)
                .find("link.links: one link reaches one neighbour: a group of 4 is not connected"),
            std::string::npos);
  EXPECT_NE(with_link("topology: ring, max_group: 2, in_switch: true, " + link)
                .find("link.in_switch: expected topology: switched"),
            std::string::npos);
}

}  // namespace
}  // namespace presil
