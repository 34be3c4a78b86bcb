#include "chip/network.h"

#include <gtest/gtest.h>

#include "chip/library.h"

namespace presil {
namespace {

const std::filesystem::path kHome = PRESIL_SOURCE_DIR;

ScaleOut read(const std::string& text) {
  return read_scale_out(
      parse_document(std::make_shared<Source>(Source{"net.yaml", text}), Syntax::yaml));
}

TEST(ScaleOut, RanksReachTheAdaptersBesideThem) {
  ScaleOut n;
  n.bandwidth = BytesPerSecond(10e9);
  n.adapters = 4;
  n.chips_per_adapter = 2;

  EXPECT_EQ(n.adapters_reached(1), 1);
  EXPECT_EQ(n.adapters_reached(3), 2);
  EXPECT_EQ(n.adapters_reached(16), 4);  // a node has no more
  EXPECT_DOUBLE_EQ(n.out_of_node(3).count(), 20e9);
}

TEST(ScaleOut, EveryShippedNetworkIsReadAndNamesItsSources) {
  const std::vector<std::string> names = names_in(kHome / "networks");
  EXPECT_GE(names.size(), 8u);
  for (const std::string& name : names) {
    const NetworkFiles files = load_network(name, {}, kHome);
    EXPECT_EQ(files.network.name, name);
    for (const char* field : {"bandwidth", "adapters", "latency", "energy"}) {
      EXPECT_NE(source_of(files.network.sources, field), nullptr) << name << ": " << field;
    }
  }
}

TEST(ScaleOut, AMissingUnitIsRefusedAtItsPlace) {
  try {
    read(
        "presil: network/1\nname: net\nbandwidth: 50\nadapters: 8\nlatency: 2 us\n"
        "energy: 20 pJ/bit\n");
    FAIL();
  } catch (const InputError& e) {
    EXPECT_EQ(e.diagnostics().front().line, 3);
    EXPECT_EQ(e.diagnostics().front().column, 12);
  }
}

TEST(ScaleOut, AChipTakesTheNetworkItNamesOrIsGiven) {
  EXPECT_EQ(load_chip("h100-sxm", {}, kHome).chip.scale_out->name, "infiniband-ndr");
  EXPECT_FALSE(load_chip("mtia-v2", {}, kHome).chip.scale_out.has_value());

  const Chip given =
      load_chip("mtia-v2", {"network=ethernet-100g", "scale_out.bandwidth=25 GB/s"}, kHome).chip;
  EXPECT_EQ(given.scale_out->name, "ethernet-100g");
  EXPECT_DOUBLE_EQ(given.scale_out->bandwidth.count(), 25e9);
}

}  // namespace
}  // namespace presil
