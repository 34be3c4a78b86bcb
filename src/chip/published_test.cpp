// Every shipped chip against what its maker says of it: dense peaks and the DRAM's bandwidth.
#include <map>
#include <set>

#include <gtest/gtest.h>

#include "chip/derived.h"
#include "chip/dram_shape.h"

namespace presil {
namespace {

const std::filesystem::path kHome = PRESIL_SOURCE_DIR;

struct Published {
  const char* chip;
  double gbs;                         // DRAM, GB/s
  std::map<Format, double> tera_ops;  // dense TFLOP/s or TOPS; a multiply-add counts two
};

constexpr Format kBf16 = Format::bf16, kFp16 = Format::fp16, kFp32 = Format::fp32;
constexpr Format kFp8 = Format::fp8_e4m3, kFp4 = Format::fp4_e2m1, kInt8 = Format::int8;

// Vendors' data sheets and documentation. AWS's product pages say 190 TFLOP/s (NeuronCore-v2) and
// 667 (Trainium2) where its engine and clock give 183.5 and 629: those stand here. GeForce boards
// count accumulation in fp32. What is not published of a chip is not here.
const Published kPublished[] = {
    {"mtia-v1", 176, {{kInt8, 102.4}, {kFp16, 51.2}}},
    {"mtia-v2", 204.8, {{kInt8, 354}, {kBf16, 177}}},
    {"artemis-hbm3e", 4 * 1254.4, {{kInt8, 354}, {kBf16, 177}}},
    {"artemis-hbm3e-wide", 4 * 1254.4, {{kInt8, 354}, {kBf16, 177}}},
    {"mtia-300", 6100, {{kFp8, 1200}, {kBf16, 600}}},
    {"mtia-400", 9200, {{kFp4, 12000}, {kFp8, 6000}, {kBf16, 3000}}},
    {"mtia-450", 18400, {{kFp4, 21000}, {kFp8, 7000}, {kBf16, 3500}}},
    {"mtia-500", 27600, {{kFp4, 30000}, {kFp8, 10000}, {kBf16, 5000}}},
    {"inferentia2", 820, {{kBf16, 183.5}, {kInt8, 367}, {kFp32, 45.9}}},
    {"trainium1", 820, {{kBf16, 183.5}, {kInt8, 367}, {kFp32, 45.9}}},
    {"trainium2", 2900, {{kBf16, 632}, {kFp8, 1264}}},
    {"trainium3", 4900, {{kBf16, 671}, {kFp8, 2517}, {kFp4, 2517}, {kFp32, 183}}},
    {"a100-sxm-80gb", 2039, {{kBf16, 312}, {kInt8, 624}}},
    {"h100-sxm", 3350, {{kBf16, 989}, {kFp8, 1979}, {kInt8, 1979}}},
    {"h200-sxm", 4800, {{kBf16, 989}, {kFp8, 1979}, {kInt8, 1979}}},
    {"h800-sxm", 3350, {{kBf16, 989}, {kFp8, 1979}}},
    {"h20", 4000, {{kBf16, 148}, {kFp8, 296}}},
    {"b200-sxm", 8000, {{kBf16, 2250}, {kFp8, 4500}, {kInt8, 4500}, {kFp4, 9000}}},
    {"gb200", 8000, {{kBf16, 2500}, {kFp8, 5000}, {kFp4, 10000}}},
    {"b300-sxm", 8000, {{kBf16, 2250}, {kFp8, 4500}, {kFp4, 13500}}},
    {"gb300", 8000, {{kBf16, 2500}, {kFp8, 5000}, {kFp4, 15000}}},
    {"l40s", 864, {{kBf16, 362}, {kFp8, 733}, {kInt8, 733}}},
    {"rtx-4090", 1008, {{kBf16, 165.2}, {kFp8, 330.3}, {kInt8, 660.6}}},
    {"rtx-pro-6000-se", 1597, {{kBf16, 503}, {kFp8, 1007}, {kFp4, 2015}}},
    {"rtx-3090", 936, {{kBf16, 71}, {kInt8, 284}}},
    {"rtx-a6000", 768, {{kBf16, 154.8}}},
    {"a40", 696, {{kBf16, 149.7}, {kInt8, 299.3}}},
    {"arc-pro-b60", 456, {{kBf16, 98.3}, {kInt8, 197}}},
    {"mi210", 1638, {{kBf16, 181}, {kInt8, 181}, {kFp32, 45.3}}},
    {"mi300x", 5300, {{kBf16, 1307}, {kFp8, 2615}, {kInt8, 2615}, {Format::tf32, 653.7}}},
    {"mi325x", 6000, {{kBf16, 1307}, {kFp8, 2610}, {kInt8, 2600}}},
    {"mi355x", 8000, {{kBf16, 2500}, {kFp8, 5000}, {kInt8, 5000}, {kFp4, 10100}}},
    {"tpu-v4", 1200, {{kBf16, 275}, {kInt8, 275}}},
    {"tpu-v5e", 819, {{kBf16, 197}, {kInt8, 393}}},
    {"tpu-v5p", 2765, {{kBf16, 459}, {kInt8, 918}}},
    {"tpu-v6e", 1640, {{kBf16, 918}, {kFp8, 918}, {kInt8, 1836}}},
    {"tpu-v7", 7370, {{kBf16, 2307}, {kFp8, 4614}}},
    {"gaudi-2", 2460, {{kBf16, 432}, {kFp8, 865}}},
    {"gaudi-3", 3700, {{kBf16, 1677}, {kFp8, 1677}}},
    {"groq-lpu", 80000, {{kInt8, 750}, {kFp16, 188}}},  // of its SRAM
    {"maia-100", 1800, {{kBf16, 800}}},
    {"cloud-ai-100-ultra", 548, {{kInt8, 870}, {kFp16, 290}}},
    {"snapdragon-8-gen3", 76.8, {{kInt8, 34}}},
    {"snapdragon-8-elite", 85.3, {{kInt8, 46}}},
    {"snapdragon-x-elite", 135, {{kInt8, 45}}},
    {"apple-m2-ultra", 800, {{kFp32, 27.2}}},
    {"apple-m4", 120, {{kInt8, 38}}},
    {"mach-1", 546, {}},
    {"headset-npu", 51.2, {{kInt8, 16.4}}},  // nobody's: as its file says
};

TEST(Published, PeaksOfEveryChipAreThoseOfItsDataSheet) {
  for (const Published& p : kPublished) {
    const ChipFiles files = load_chip(p.chip, {}, kHome);
    for (const auto& [format, tera_ops] : p.tera_ops) {
      EXPECT_NEAR(peak_flops(files.chip, format).count() / 1e12 / tera_ops, 1, 0.03)
          << p.chip << " " << to_string(format);
    }
    const double gbs = peak_bandwidth(files.memory, files.chip.dram).count() / 1e9;
    EXPECT_NEAR(gbs / p.gbs, 1, 0.03) << p.chip;
  }
}

TEST(Published, NoShippedChipIsLeftOut) {
  std::set<std::string> listed;
  for (const Published& p : kPublished) listed.insert(p.chip);
  for (const std::string& name : names_in(kHome / "chips")) {
    EXPECT_TRUE(listed.contains(name)) << name;
  }
}

TEST(Published, NamesOfMeasuredDataFindTheirChips) {
  for (const char* alias :
       {"A100-SXM-80GB", "H100-SXM-80GB", "H200-SXM-141GB", "B200-SXM-180GB", "B300-SXM", "GB200",
        "GB300", "L40S", "RTX-PRO-6000-SE", "RTX4090", "RTX3090", "A6000", "A40", "H20", "H800",
        "Arc-Pro-B60", "MI210", "TPU-v6e"}) {
    EXPECT_NO_THROW(load_chip(alias, {}, kHome)) << alias;
  }
}

TEST(Published, KernelsOfGpusAreKnown) {
  const std::pair<const char*, Issue> issues[] = {
      {"a100-sxm-80gb", Issue::mma}, {"h200-sxm", Issue::wgmma},  {"h20", Issue::wgmma},
      {"gb300", Issue::tcgen05},     {"l40s", Issue::mma},        {"rtx-pro-6000-se", Issue::mma},
      {"mi300x", Issue::mfma},       {"arc-pro-b60", Issue::xmx}, {"tpu-v6e", Issue::none},
      {"mtia-400", Issue::none}};
  for (const auto& [chip, issue] : issues) {
    EXPECT_EQ(load_chip(chip, {}, kHome).chip.core.matrix.issue, issue) << chip;
  }
}

}  // namespace
}  // namespace presil
