#include <algorithm>
#include <fstream>
#include <map>

#include <gtest/gtest.h>

#include "base/testing/scratch.h"
#include "chip/dram_file.h"
#include "chip/library.h"
#include "chip/overrides.h"

namespace presil {
namespace {

namespace fs = std::filesystem;

const fs::path kHome = PRESIL_SOURCE_DIR;
const std::string kGolden = PRESIL_SOURCE_DIR "/test/dram/r-hbm3-1pc.yaml";

class DramLibrary : public ::testing::Test {
 protected:
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name) << text;
    return (folder_ / name).string();
  }
  /// "file:line:column message" of each complaint, the file without its folder.
  std::string complaints(const std::string& part, const std::string& config,
                         const std::vector<std::string>& overrides = {}) const {
    try {
      load_dram(part, config, overrides, kHome);
    } catch (const InputError& e) {
      std::string all;
      for (const Diagnostic& d : e.diagnostics()) {
        all += d.file.substr(d.file.rfind('/') + 1) + ":" + std::to_string(d.line) + ":" +
               std::to_string(d.column) + " " + d.message + "\n";
      }
      return all;
    }
    return "";
  }
  /// The complaint about a memory system of three lines and `more`.
  std::string complaints_about(const std::string& more) const {
    return complaints("", write("m.yaml", "presil: dram/1\nname: m\npart: hbm3-6400\n" + more));
  }

  const fs::path& folder_ = testing::scratch_folder();
};

TEST_F(DramLibrary, LoadsAPartByNameOrPathWithOverridesOfEitherHalfOfATiming) {
  EXPECT_EQ(load_part("hbm3-6400", {}, kHome).name, "hbm3-6400");
  EXPECT_EQ(load_part((kHome / "memories/hbm3-6400.yaml").string(), {}, kHome).name, "hbm3-6400");

  const MemoryPart part = load_part(
      "hbm3-6400", {"timing.tRP.time=14 ns", "timing.tRTP=5 ns", "timing.tRRDS.time=3 ns"}, kHome);

  EXPECT_EQ(part.tRP.time, Picoseconds(14'000));  // written "tRP: 16.25 ns" in the file
  EXPECT_EQ(part.tRTP.time, Picoseconds(5'000));
  EXPECT_EQ(part.tRRDS.time, Picoseconds(3'000));
  EXPECT_EQ(part.tRRDS.min_cycles, 2);  // the file's floor stays
}

TEST_F(DramLibrary, NamesTheNearestPart) {
  try {
    load_part("hbm3-6300", {}, kHome);
    FAIL();
  } catch (const MissingInput& e) {
    EXPECT_STREQ(e.what(), "no memory part is called 'hbm3-6300'; did you mean 'hbm3-6400'?");
  }
  EXPECT_THROW(load_dram("none.yaml", "", {}, kHome), MissingInput);
  EXPECT_THROW(load_dram("hbm3-6400", "none.yaml", {}, kHome), MissingInput);
}

TEST_F(DramLibrary, APartAloneIsDrivenByTheDefaults) {
  const DramFiles files = load_dram("lpddr5-6400", "", {"dram.ecc=inline", "dram.hot=true"}, kHome);

  EXPECT_EQ(files.part.name, "lpddr5-6400");
  EXPECT_EQ(files.dram.rate, files.part.rate);
  EXPECT_EQ(files.dram.ecc, Ecc::inside);
  EXPECT_TRUE(files.dram.hot);
  EXPECT_EQ(files.dram.controller.queue, 32);
  EXPECT_EQ(files.files.size(), 1u);
}

// The preset's numbers (ramulator2 HBM3_6400Mbps, commit c5b1c3a), in CK of 0.625 ns.
TEST_F(DramLibrary, TheGoldenMemorySystemHasRamulatorsClocks) {
  const DramFiles files = load_dram("", kGolden, {}, kHome);
  const MemoryPart& part = files.part;
  const std::vector<std::pair<DramTiming, std::int64_t>> expected = {
      {part.tRCDRD, 31},  {part.tRCDWR, 15},  {part.tRP, 26},     {part.tRPab, 26},
      {part.tRAS, 45},    {part.tRC, 72},     {part.tRRDS, 4},    {part.tRRDL, 5},
      {part.tFAW, 24},    {part.tCCDS, 2},    {part.tCCDL, 4},    {part.tCCDLWR, 4},
      {part.tCCDR, 3},    {part.tRTP, 9},     {part.tWR, 33},     {part.tWTRS, 7},
      {part.tWTRL, 10},   {part.tCL, 20},     {part.tCWL, 10},    {part.tRTW, 20},
      {part.tRFCab, 560}, {part.tRFCpb, 320}, {part.tREFI, 6240}, {part.tRREFD, 13},
      {part.tPPD, 2}};

  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(part.clocks(expected[i].first, files.dram.rate), expected[i].second) << i;
  }
  EXPECT_EQ(part.channels * part.pseudo_channels, 1);
  EXPECT_EQ(part.pseudo_channel_capacity(), Bytes(512 << 20));
  EXPECT_EQ(files.dram.mapping,
            "row column bank bank_group stack_id column:4 stack_id^column bank_group^column/2 "
            "bank^column/8");
  EXPECT_EQ(files.files.size(), 2u);
}

TEST_F(DramLibrary, APartGivenBesideAMemorySystemReplacesItsPart) {
  const std::string config = write("m.yaml",
                                   "presil: dram/1\nname: m\npart: hbm3-6400\nrefresh: per_bank\n"
                                   "controller: {queue: 16}\nset: {timing.tRP: {time: 15 ns}}\n");

  EXPECT_EQ(load_dram("", config, {}, kHome).part.name, "hbm3-6400");
  EXPECT_EQ(load_dram(config, "", {}, kHome).part.name, "hbm3-6400");
  const DramFiles files = load_dram("hbm3e-9800-12h", config,
                                    {"dram.controller.queue=64", "memory.timing.tRTP=6 ns"}, kHome);

  EXPECT_EQ(files.part.name, "hbm3e-9800-12h");
  EXPECT_EQ(files.dram.part, "hbm3e-9800-12h");
  EXPECT_EQ(files.dram.refresh, Refresh::per_bank);
  EXPECT_EQ(files.dram.controller.queue, 64);
  EXPECT_EQ(files.part.tRP.time, Picoseconds(15'000));
  EXPECT_EQ(files.part.tRTP.time, Picoseconds(6'000));
}

TEST_F(DramLibrary, AMemorySystemNamesItsPartFromItsOwnFolder) {
  fs::copy(kHome / "memories/hbm3-6400.yaml", folder_ / "mine.yaml");
  const std::string config =
      write("m.yaml", "presil: dram/1\nname: m\npart: mine.yaml\nset: {name: mine}\n");

  EXPECT_EQ(load_dram("", config, {}, kHome).part.name, "mine");
  EXPECT_EQ(complaints("", config, {"dram.part=mine.yam"}),
            "--set dram.part=mine.yam:1:11 part: no file and no part in memories/ is called "
            "'mine.yam'\n");
}

TEST_F(DramLibrary, PointsAtEveryControllerValueOutOfRange) {
  EXPECT_EQ(complaints_about("controller: {queue: 65}\n"),
            "m.yaml:4:21 controller.queue: expected a whole number from 1 to 64, found 65\n");
  EXPECT_EQ(complaints_about("controller:\n  write_low: 0.9\n"),
            "m.yaml:5:14 controller.write_low: expected write_low <= write_high, found 0.9 and "
            "0.8\n");
  EXPECT_EQ(complaints_about("controller: {write_high: 1.5}\n"),
            "m.yaml:4:26 controller.write_high: expected a number without a unit from 0 to 1, "
            "found 1.5\n");
  EXPECT_EQ(
      complaints_about("controller: {postpone: 9, rfm_threshold: 2000000}\n"),
      "m.yaml:4:24 controller.postpone: expected a whole number from 0 to 8, found 9\n"
      "m.yaml:4:42 controller.rfm_threshold: expected a whole number from 0 to 1000000, found "
      "2000000\n");
  EXPECT_EQ(complaints_about("controller: {starvation: 10}\n"),
            "m.yaml:4:26 controller.starvation: expected a value with its unit such as \"14 ns\", "
            "found 10 without a unit\n");
  EXPECT_EQ(
      complaints_about("controller: {scheduler: frfcfs}\n"),
      "m.yaml:4:25 controller.scheduler: expected one of fr_fcfs, fcfs, found \"frfcfs\"; did "
      "you mean 'fr_fcfs'?\n");
}

TEST_F(DramLibrary, PointsAtUnknownAndMissingKeys) {
  EXPECT_EQ(complaints_about("page_polcy: open\n"),
            "m.yaml:4:1 unknown key 'page_polcy'; did you mean 'page_policy'?\n");
  EXPECT_EQ(complaints("", write("m.yaml", "presil: dram/1\nname: m\n")),
            "m.yaml:1:1 missing 'part' (a file in memories/, or a path relative to this file)\n");
  EXPECT_EQ(complaints("", write("m.yaml", "presil: dram/1\nname: m\npart: hbm3-6300\n")),
            "m.yaml:3:7 part: no file and no part in memories/ is called 'hbm3-6300'; did you mean "
            "'hbm3-6400'?\n");
  EXPECT_EQ(complaints_about("ecc: inline\n"),
            "m.yaml:4:6 ecc: inline is for LPDDR and GDDR; hbm3-6400 is hbm3, which keeps its "
            "codes beside the data\n");
  EXPECT_EQ(complaints_about("rate: 7 Gb/s\n"),
            "m.yaml:4:7 rate: expected from 640 Mb/s to 6.4 Gb/s, the rate of hbm3-6400, found 7 "
            "Gb/s\n");
}

TEST_F(DramLibrary, WhatSetChangesIsCheckedAsThePartIs) {
  EXPECT_EQ(complaints_about("set:\n  timing.tRAS: 10 ns\n"),
            "m.yaml:5:16 timing.tRAS: expected at least tRCDRD (31 CK), found 16 CK\n");
  EXPECT_EQ(complaints_about("set: {timing.tRPP: 10 ns}\n"),
            "m.yaml:4:7 set: 'timing.tRPP' is no field of a memory part; did you mean "
            "'timing.tRP'?\n");
  EXPECT_EQ(complaints_about("set: {timing.tRRDS.time: 2}\n"),
            "m.yaml:4:26 timing.tRRDS.time: expected a value with its unit such as \"14 ns\", "
            "found 2 without a unit\n");
  EXPECT_EQ(complaints_about("set: {timing: {tRPP: 10 ns}}\n"),
            "m.yaml:4:16 unknown key 'tRPP' in timing; did you mean 'tRP'?\n");
  EXPECT_EQ(complaints_about("set: timing\n"),
            "m.yaml:4:6 set: expected a group of fields such as {timing.tRP: 14 ns}\n");
}

TEST_F(DramLibrary, OverridesSayWhoseFieldTheyMean) {
  EXPECT_EQ(complaints("hbm3-6400", "", {"page_policy=closed", "timing.tRP=14 ns", "foo=1"}),
            "--set foo=1:1:1 expected dram.KEY, of the memory system, or memory.KEY, of the part; "
            "found 'foo'\n"
            "--set page_policy=closed:1:1 did you mean 'dram.page_policy'?\n"
            "--set timing.tRP=14 ns:1:1 did you mean 'memory.timing.tRP'?\n");
  EXPECT_EQ(complaints("hbm3-6400", "", {"dram.page_policy=opne"}),
            "--set dram.page_policy=opne:1:18 page_policy: expected one of open, closed, adaptive, "
            "found \"opne\"; did you mean 'open'?\n");
}

TEST_F(DramLibrary, RefusesTwoMemorySystems) {
  const std::string config = write("m.yaml", "presil: dram/1\nname: m\npart: hbm3-6400\n");
  EXPECT_NE(complaints(config, config).find("m.yaml:1:1 a memory system already"),
            std::string::npos);
  EXPECT_THROW(load_dram("", "", {}, kHome), InputError);
}

TEST_F(DramLibrary, AChipsInlineEccNeedsAPartThatHasIt) {
  EXPECT_EQ(load_chip("snapdragon-8-elite", {"dram.ecc=inline"}, kHome).chip.dram.ecc, Ecc::inside);
  try {
    load_chip("h100-sxm", {"dram.ecc=inline"}, kHome);
    FAIL();
  } catch (const InputError& e) {
    EXPECT_EQ(e.diagnostics().front().file, "--set dram.ecc=inline");
    EXPECT_EQ(e.diagnostics().front().column, 10);
  }
}

TEST_F(DramLibrary, TheExampleOfTheManualIsAMemorySystem) {
  const std::string page = read_text(kHome / "docs/memory_file.md", std::size_t{1} << 20);
  const std::size_t begin = page.find("```yaml\npresil: dram/1") + 8;
  ASSERT_LT(begin, page.size());
  const std::string example = write("m.yaml", page.substr(begin, page.find("```", begin) - begin));

  const DramFiles files = load_dram("", example, {}, kHome);

  EXPECT_EQ(files.part.channels, 2);
  EXPECT_EQ(files.part.tRP.time, Picoseconds(17'000));
  EXPECT_EQ(files.dram.page_policy, PagePolicy::adaptive);
  EXPECT_EQ(files.dram.controller.starvation, Controller{}.starvation);
}

TEST_F(DramLibrary, DescribesTheKeysOfAMemorySystem) {
  const Schema schema = dram_file_schema();
  EXPECT_TRUE(names_a_field(schema, "controller.write_low"));
  EXPECT_TRUE(names_a_field(chip_schema(), "dram.controller.write_low"));
  EXPECT_FALSE(names_a_field(schema, "controller.writes"));
}

}  // namespace
}  // namespace presil
