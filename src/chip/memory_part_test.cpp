#include "chip/memory_part.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>

#include <gtest/gtest.h>

#include "chip/library.h"

namespace presil {
namespace {

::testing::AssertionResult says(const std::string& text, const std::string& words) {
  if (text.find(words) != std::string::npos) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << "\"" << words << "\" not in: " << text;
}

const std::string kRoot = PRESIL_SOURCE_DIR;
const std::vector<std::string> kShipped = names_in(kRoot + "/memories");

Node shipped_node(const std::string& name) {
  return read_document(kRoot + "/memories/" + name + ".yaml", Syntax::yaml);
}

MemoryPart shipped(const std::string& name) {
  return read_memory_part(shipped_node(name));
}

/// hbm3-6400 with one "--set path=value".
std::string complaint_about(const std::string& path, const std::string& value) {
  Node root = shipped_node("hbm3-6400");
  const auto argument = std::make_shared<Source>(Source{"--set", path + "=" + value});
  apply_override(root, path, value, argument);
  try {
    read_memory_part(root);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

class ShippedPart : public ::testing::TestWithParam<std::string> {};

TEST_P(ShippedPart, ReadsUnderItsOwnName) {
  EXPECT_EQ(shipped(GetParam()).name, GetParam());
}

TEST_P(ShippedPart, NamesASourceForEveryNumber) {
  const MemoryPart part = shipped(GetParam());
  for (const char* group : {"organisation", "interface", "timing", "mapping", "energy"}) {
    EXPECT_TRUE(part.sources.contains(group)) << group;
  }
}

TEST_P(ShippedPart, StreamsAtItsQuotedEnergyPerBit) {
  const MemoryPart part = shipped(GetParam());

  const double page_bits = static_cast<double>(part.page.count()) * 8;
  const double bits_per_second = static_cast<double>(part.width) * part.rate.count();
  const double interval = to_seconds(part.tREFI.time).count();
  const double per_bit = part.act_pre.typical / page_bits + part.read_bit.typical +
                         part.refresh_all.typical / (interval * bits_per_second) +
                         part.background.typical / bits_per_second;

  // pJ/bit, each with its source in the files.
  const std::map<std::string, double> quoted = {
      {"hbm2", 3.92}, {"hbm2e", 3.9},   {"hbm3", 3.9},   {"hbm3e", 3.9},
      {"hbm4", 2.9},  {"lpddr4x", 6.0}, {"lpddr5", 5.0}, {"lpddr5x", 4.0},
      {"gddr6", 7.5}, {"gddr6x", 7.25}, {"gddr7", 6.0},  {"ddr5", 12.0}};
  ASSERT_TRUE(quoted.contains(part.family)) << part.family;
  EXPECT_NEAR(per_bit * 1e12, quoted.at(part.family), 0.01);
}

constexpr DramTiming MemoryPart::*kEveryTiming[] = {
    &MemoryPart::tRCDRD, &MemoryPart::tRCDWR, &MemoryPart::tRP,   &MemoryPart::tRPab,
    &MemoryPart::tRAS,   &MemoryPart::tRC,    &MemoryPart::tRRDS, &MemoryPart::tRRDL,
    &MemoryPart::tFAW,   &MemoryPart::tCCDS,  &MemoryPart::tCCDL, &MemoryPart::tCCDLWR,
    &MemoryPart::tCCDR,  &MemoryPart::tRTP,   &MemoryPart::tWR,   &MemoryPart::tWTRS,
    &MemoryPart::tWTRL,  &MemoryPart::tCL,    &MemoryPart::tCWL,  &MemoryPart::tRTW,
    &MemoryPart::tRFCab, &MemoryPart::tRFCpb, &MemoryPart::tREFI, &MemoryPart::tRREFD,
    &MemoryPart::tPPD};

// Ticks are ceil(ns / tCK) with floors in CK, at any rate: a slower pin never shortens a time, and
// never lengthens it by a whole clock.
TEST_P(ShippedPart, KeepsItsNanosecondsAtEveryRate) {
  const MemoryPart part = shipped(GetParam());
  for (const double share : {1.0, 0.93, 0.817, 2.0 / 3, 0.5, 0.371, 0.25, 0.1}) {
    const BitsPerSecond rate = part.rate * share;
    const double clock_ps = part.bits_per_clock / rate.count() * 1e12;
    for (const auto member : kEveryTiming) {
      const DramTiming& timing = part.*member;
      const auto clocks = static_cast<double>(part.clocks(timing, rate));
      const auto ps = static_cast<double>(timing.time.count());
      EXPECT_GE(clocks * clock_ps, ps * (1 - 1e-12));
      EXPECT_GE(clocks, static_cast<double>(timing.min_cycles));
      const bool is_floor = part.clocks(timing, rate) == timing.min_cycles;
      EXPECT_TRUE(is_floor || (clocks - 1) * clock_ps < ps * (1 + 1e-12));
    }
  }
}

TEST(MemoryPart, ShipsEveryPartOfTheContract) {
  for (const char* name :
       {"hbm2-2000", "hbm2e-3600", "hbm3-6400", "hbm3e-9200-8h", "hbm3e-9800-12h", "hbm4-8000",
        "lpddr4x-4266", "lpddr5-6400", "lpddr5x-8533", "lpddr5x-9600", "gddr6-14000",
        "gddr6x-21000", "gddr7-28000", "ddr5-4800", "ddr5-6400"}) {
    EXPECT_TRUE(std::binary_search(kShipped.begin(), kShipped.end(), name)) << name;
  }
}

INSTANTIATE_TEST_SUITE_P(Memories, ShippedPart, ::testing::ValuesIn(kShipped), [](const auto& of) {
  std::string name = of.param;
  for (char& c : name) {
    if (c == '-') c = '_';
  }
  return name;
});

TEST(MemoryPart, HoldsWhatItsStackHolds) {
  EXPECT_EQ(shipped("hbm2e-3600").stack_capacity(), 16_GiB);
  EXPECT_EQ(shipped("hbm3-6400").stack_capacity(), 16_GiB);
  EXPECT_EQ(shipped("hbm3e-9200-8h").stack_capacity(), 24_GiB);
  EXPECT_EQ(shipped("hbm3e-9800-12h").stack_capacity(), 36_GiB);
  EXPECT_EQ(shipped("lpddr5x-9600").stack_capacity(), 16_GiB);
  EXPECT_EQ(shipped("hbm2-2000").stack_capacity(), 8_GiB);
  EXPECT_EQ(shipped("hbm4-8000").stack_capacity(), 36_GiB);
  EXPECT_EQ(shipped("lpddr4x-4266").stack_capacity(), 8_GiB);
  EXPECT_EQ(shipped("gddr6-14000").stack_capacity(), 2_GiB);
  EXPECT_EQ(shipped("gddr7-28000").stack_capacity(), 2_GiB);
  EXPECT_EQ(shipped("ddr5-6400").stack_capacity(), 16_GiB);
}

TEST(MemoryPart, StreamsAtPinsTimesRate) {
  const auto gbs = [](const MemoryPart& part) {
    return part.stack_bandwidth(part.rate).count() / 1e9;
  };
  EXPECT_DOUBLE_EQ(gbs(shipped("hbm3e-9800-12h")), 1254.4);  // 1024 x 9.8 / 8
  EXPECT_DOUBLE_EQ(gbs(shipped("hbm2e-3600")), 460.8);
  EXPECT_DOUBLE_EQ(gbs(shipped("lpddr5-6400")), 51.2);
  EXPECT_DOUBLE_EQ(gbs(shipped("hbm2-2000")), 256);
  EXPECT_DOUBLE_EQ(gbs(shipped("hbm4-8000")), 2048);  // 2048 x 8 / 8
  EXPECT_DOUBLE_EQ(gbs(shipped("gddr6x-21000")), 84);
  EXPECT_DOUBLE_EQ(gbs(shipped("gddr7-28000")), 112);
  EXPECT_DOUBLE_EQ(gbs(shipped("ddr5-4800")), 38.4);
}

TEST(MemoryPart, RoundsTimesUpToWholeClocksAndKeepsFloors) {
  const MemoryPart part = shipped("hbm3-6400");
  const BitsPerSecond h100(5.23e9);  // CK 1.3075 GHz

  EXPECT_EQ(part.clocks(part.tRCDRD, part.rate), 31);  // 19.375 / 0.625
  EXPECT_EQ(part.clocks(part.tRCDRD, h100), 26);       // 25.33
  EXPECT_EQ(part.clocks(part.tCCDL, h100), 4);         // 3.27, floor 4
  EXPECT_EQ(part.clocks(part.tCCDS, h100), 2);
  EXPECT_EQ(part.tick_clock(part.rate).frequency(), Hertz(3.2e9));
}

TEST(MemoryPart, RefusesTimingsThatCannotBe) {
  EXPECT_TRUE(says(complaint_about("timing.tRAS", "10 ns"), "tRAS: expected at least tRCDRD"));
  EXPECT_TRUE(says(complaint_about("timing.tRC", "40 ns"), "tRC: expected at least tRAS + tRP"));
  EXPECT_TRUE(says(complaint_about("timing.tREFI", "500 ns"), "tREFI"));
  EXPECT_TRUE(says(complaint_about("organisation.stack_ids", "5"), "at most 64 banks"));
  EXPECT_TRUE(says(complaint_about("organisation.page", "1000 B"), "multiple of the atom"));
  EXPECT_TRUE(says(complaint_about("interface.rate", "1 b/s"), "pin rate"));
  EXPECT_TRUE(says(complaint_about("interface.bits_per_clock", "3"), "whole number of clock"));
}

TEST(MemoryPart, RefusesUnknownMissingAndUnitlessKeys) {
  EXPECT_TRUE(says(complaint_about("timing.tRCDRDX", "10 ns"), "did you mean 'tRCDRD'"));
  EXPECT_TRUE(says(complaint_about("timing.tRTP", "5"), "timing.tRTP"));
}

/// The complaints about hbm3-6400's file with one line of it replaced, as "line:column message".
std::string complaint_about_line(const std::string& line, const std::string& replacement) {
  std::string text = read_text(kRoot + "/memories/hbm3-6400.yaml", 1 << 20);
  const std::size_t at = text.find(line);
  EXPECT_NE(at, std::string::npos) << line;
  text.replace(at, line.size(), replacement);
  try {
    read_memory_part(parse_document(
        std::make_shared<const Source>(Source{"hbm3.yaml", std::move(text)}), Syntax::yaml));
  } catch (const InputError& error) {
    const Diagnostic& d = error.diagnostics().front();
    return std::to_string(d.line) + ":" + std::to_string(d.column) + " " + d.message;
  }
  return "";
}

TEST(MemoryPart, PointsAtTheLineAndColumnOfAComplaint) {
  // `timing:` is line 28 of the file; tRCDRD, tRCDWR, tRP, tRAS follow.
  EXPECT_EQ(complaint_about_line("tRAS: 28.125 ns", "tRAS: 18 ns"),
            "32:9 timing.tRAS: expected at least tRCDRD (31 CK), found 29 CK");
  EXPECT_EQ(complaint_about_line("  tFAW: 15 ns\n", ""),
            "28:1 missing 'timing.tFAW' (window with at most four ACTs)");
  EXPECT_EQ(complaint_about_line("tFAW: 15 ns", "tFAWS: 15 ns").substr(0, 4), "28:1");
  EXPECT_EQ(complaint_about_line("  tRP: ", "  tRPX: 1 ns\n  tRP: "),
            "31:3 unknown key 'tRPX' in timing; did you mean 'tRP'?");
  EXPECT_EQ(complaint_about_line("  stack_ids: 2 ", "  stack_ids: 5 "),
            "11:10 organisation.banks: expected at most 64 banks a pseudo-channel, found 80");
}

TEST(MemoryPart, DescribesItsSchema) {
  const Schema schema = memory_part_schema();
  std::vector<std::string> names;
  for (const Schema& field : schema.fields) names.push_back(field.name);
  EXPECT_EQ(names, (std::vector<std::string>{"presil", "name", "family", "organisation",
                                             "interface", "timing", "timing_estimated", "mapping",
                                             "energy", "sources"}));
}

}  // namespace
}  // namespace presil
