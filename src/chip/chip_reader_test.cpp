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
  const std::vector<std::string> expected = {"presil",  "name",     "vendor", "year",   "alias",
                                             "control", "core",     "sram",   "noc",    "dram",
                                             "link",    "network",  "power",  "launch", "die",
                                             "package", "numerics", "price",  "sources"};
  EXPECT_EQ(names, expected);
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
