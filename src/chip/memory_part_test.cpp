#include "chip/memory_part.h"

#include <string>

#include <gtest/gtest.h>

namespace presil {
namespace {

::testing::AssertionResult says(const std::string& text, const std::string& words) {
  if (text.find(words) != std::string::npos) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << "\"" << words << "\" not in: " << text;
}

const std::string kRoot = PRESIL_SOURCE_DIR;
const std::vector<std::string> kShipped = {"hbm2e-3600",     "hbm3-6400",    "hbm3e-9200-8h",
                                           "hbm3e-9800-12h", "lpddr5-6400",  "lpddr5x-8533",
                                           "lpddr5x-9600",   "lpddr5x-10667"};

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

  const double quoted = part.family == "lpddr5" ? 5.0 : part.family == "lpddr5x" ? 4.0 : 3.9;
  EXPECT_NEAR(per_bit * 1e12, quoted, 0.01);
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
}

TEST(MemoryPart, StreamsAtPinsTimesRate) {
  const auto gbs = [](const MemoryPart& part) {
    return part.stack_bandwidth(part.rate).count() / 1e9;
  };
  EXPECT_DOUBLE_EQ(gbs(shipped("hbm3e-9800-12h")), 1254.4);  // 1024 x 9.8 / 8
  EXPECT_DOUBLE_EQ(gbs(shipped("hbm2e-3600")), 460.8);
  EXPECT_DOUBLE_EQ(gbs(shipped("lpddr5-6400")), 51.2);
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
  Node root = shipped_node("hbm3-6400");
  auto& members = root.find("timing")->members;
  std::erase_if(members, [](const auto& member) { return member.first.text == "tFAW"; });
  EXPECT_THROW(read_memory_part(root), InputError);
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
