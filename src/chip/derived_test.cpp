#include "chip/derived.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "chip/dram_shape.h"

namespace presil {
namespace {

ChipFiles load(const std::string& chip) {
  return load_chip(chip, {}, PRESIL_SOURCE_DIR);
}

double figure(const ChipFiles& files, const std::string& name) {
  const std::vector<DerivedFigure> all = derive(files);
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const DerivedFigure& f) { return f.name == name; });
  EXPECT_NE(found, all.end()) << name;
  return found == all.end() ? 0 : found->value;
}

TEST(Derived, PeaksAreThePublishedOnes) {
  struct Published {
    const char* chip;
    Format format;
    double flops;
    double tolerance;  // relative
  };
  // Vendors' dense peaks; Trainium2's core page and product page differ by 5 %.
  const Published published[] = {{"a100-sxm-80gb", Format::bf16, 312e12, 0.001},
                                 {"a100-sxm-80gb", Format::int8, 624e12, 0.001},
                                 {"h100-sxm", Format::bf16, 989e12, 0.001},
                                 {"h100-sxm", Format::fp8_e4m3, 1979e12, 0.001},
                                 {"mtia-v1", Format::int8, 102.4e12, 0.03},
                                 {"mtia-v2", Format::bf16, 177e12, 0.001},
                                 {"mtia-v2", Format::int8, 354e12, 0.001},
                                 {"trainium2", Format::bf16, 632e12, 0.006}};
  for (const Published& p : published) {
    EXPECT_NEAR(peak_flops(load(p.chip).chip, p.format).count() / p.flops, 1, p.tolerance)
        << p.chip << " " << to_string(p.format);
  }
}

TEST(Derived, DramBandwidthIsPinsTimesRate) {
  struct Published {
    const char* chip;
    double bytes_per_second;
  };
  const Published published[] = {{"a100-sxm-80gb", 2039e9}, {"h100-sxm", 3350e9},
                                 {"mtia-v1", 176e9},        {"mtia-v2", 204.8e9},
                                 {"trainium2", 2900e9},     {"snapdragon-8-elite", 85.3e9}};
  for (const Published& p : published) {
    const ChipFiles files = load(p.chip);
    EXPECT_NEAR(figure(files, "dram.bandwidth") / p.bytes_per_second, 1, 0.001) << p.chip;
  }
  // Four stacks of 1024 pins at 9.8 Gb/s.
  EXPECT_DOUBLE_EQ(figure(load("artemis-hbm3e"), "dram.bandwidth"), 4 * 1024 * 9.8e9 / 8);
}

TEST(Derived, BalancePointIsPeakOverBandwidth) {
  const ChipFiles h100 = load("h100-sxm");

  // 132 x 2048 x 2 x 1.83e9 / (5 x 1024 x 5.234e9 / 8) = 295 FLOP/B
  EXPECT_NEAR(figure(h100, "balance.bf16"), 295.3, 0.1);
}

TEST(Derived, WideningLiftsSharedMemoryAboveTheDram) {
  const ChipFiles narrow = load("artemis-hbm3e");
  const ChipFiles wide = load("artemis-hbm3e-wide");
  const BytesPerSecond dram = peak_bandwidth(wide.memory, wide.chip.dram);

  EXPECT_LT(narrow.chip.sram->read, dram);
  EXPECT_LT(narrow.chip.noc.bandwidth, dram);
  EXPECT_GT(wide.chip.sram->read, dram);
  EXPECT_GT(wide.chip.noc.bandwidth, dram);
}

TEST(Derived, SramCellsOfEveryShippedChipFitItsDie) {
  for (const std::string& name : names_in(std::filesystem::path(PRESIL_SOURCE_DIR) / "chips")) {
    const ChipFiles files = load(name);
    const double silicon = files.chip.die.area.count() * static_cast<double>(files.chip.die.count);
    EXPECT_LT(figure(files, "die.sram_cells"), 0.5 * silicon) << name;
  }
}

}  // namespace
}  // namespace presil
