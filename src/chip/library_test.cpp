#include "chip/library.h"

#include <algorithm>
#include <cctype>

#include <gtest/gtest.h>

#include "chip/dram_shape.h"

namespace presil {
namespace {

const std::filesystem::path kHome = PRESIL_SOURCE_DIR;

ChipFiles load(const std::string& chip, const std::vector<std::string>& overrides = {}) {
  return load_chip(chip, overrides, kHome);
}

Diagnostic first_complaint(const std::string& chip, const std::vector<std::string>& overrides) {
  try {
    load(chip, overrides);
  } catch (const InputError& e) {
    return e.diagnostics().front();
  }
  return {};
}

bool is_number(const std::string& text) {
  const std::size_t digit = text.starts_with("-") ? 1 : 0;
  return text.size() > digit && std::isdigit(static_cast<unsigned char>(text[digit])) != 0;
}

TEST(Library, LoadsEveryShippedChipWithAllItNames) {
  const std::vector<std::string> names = names_in(kHome / "chips");

  EXPECT_GE(names.size(), 8u);
  for (const std::string& name : names) {
    const ChipFiles files = load(name);
    EXPECT_EQ(files.chip.name, name);
    EXPECT_EQ(files.memory.name, files.chip.dram.part);
    EXPECT_EQ(files.node.name, files.chip.die.node);
    EXPECT_EQ(files.package.name, files.chip.package.kind);
    const std::size_t without =
        (files.chip.network.empty() ? 1u : 0u) + (files.chip.dram.is_on_chip() ? 1u : 0u);
    EXPECT_EQ(files.files.size(), 6u - without);
  }
}

TEST(Library, FindsAChipByPathNameOrAlias) {
  EXPECT_EQ(load((kHome / "chips/mtia-v2.yaml").string()).chip.name, "mtia-v2");
  EXPECT_EQ(load("mtia-v2").chip.name, "mtia-v2");
  EXPECT_EQ(load("artemis").chip.name, "mtia-v2");
  EXPECT_EQ(load("H100-SXM-80GB").chip.name, "h100-sxm");
}

TEST(Library, NamesTheNearestChip) {
  try {
    load("h100-smx");
    FAIL();
  } catch (const MissingInput& e) {
    EXPECT_STREQ(e.what(), "no chip is called 'h100-smx'; did you mean 'h100-sxm'?");
  }
  EXPECT_THROW(load("chips/none.yaml"), MissingInput);
}

TEST(Library, AnOverrideReachesTheFileThatHasTheField) {
  const ChipFiles files =
      load("artemis-hbm3e", {"dram.stacks=6", "node.wafer_price=9000 USD", "package.kind=cowos-s",
                             "package.attach_yield=0.5", "sram.read=5 TB/s"});

  EXPECT_EQ(files.chip.dram.stacks, 6);
  EXPECT_EQ(files.chip.sram->read, BytesPerSecond(5e12));
  EXPECT_EQ(files.node.wafer_price.typical, 9000);
  EXPECT_EQ(files.package.name, "cowos-s");
  EXPECT_EQ(files.package.attach_yield.typical, 0.5);
}

TEST(Library, AChipWithoutDramKeepsAllInItsSram) {
  const ChipFiles files = load("groq-lpu");

  EXPECT_TRUE(files.chip.dram.is_on_chip());
  EXPECT_DOUBLE_EQ(peak_bandwidth(files.memory, files.chip.dram).count(), 80e12);
  // 230 MB in lines of 256 B on 64 ports.
  EXPECT_EQ(dram_capacity(files.memory, files.chip.dram).count(),
            230'000'000 / (64 * 256) * 64 * 256);
  EXPECT_EQ(first_complaint("groq-lpu", {"memory.timing.tRP=14 ns"}).message,
            "groq-lpu has no DRAM; its memory is sram");
  EXPECT_EQ(first_complaint("groq-lpu", {"sram.managed=cache"}).message,
            "dram: expected a DRAM, or sram that software manages, to keep weights in");
}

TEST(Library, ARateLeftOutIsTheParts) {
  const ChipFiles files = load("snapdragon-8-elite");

  EXPECT_EQ(files.chip.dram.rate, files.memory.rate);
}

TEST(Library, ComplaintsAboutAnOverridePointIntoTheArgument) {
  const Diagnostic stacks = first_complaint("h100-sxm", {"dram.stacks=six"});
  EXPECT_EQ(stacks.file, "--set dram.stacks=six");
  EXPECT_EQ(stacks.column, 13);  // after "dram.stacks="
  EXPECT_EQ(stacks.message, "dram.stacks: expected a whole number, found \"six\"");

  EXPECT_EQ(first_complaint("h100-sxm", {"dram.stakcs=6"}).message,
            "unknown key 'stakcs' in dram; did you mean 'stacks'?");
  EXPECT_EQ(first_complaint("h100-sxm", {"dram.part=hbm3-6300"}).message,
            "dram.part: no file 'hbm3-6300.yaml' in memories/; did you mean 'hbm3-6400'?");
  EXPECT_EQ(first_complaint("h100-sxm", {"dram.rate=7 Gb/s"}).message,
            "dram.rate: expected from 640 Mb/s to 6.4 Gb/s, the rate of hbm3-6400, found 7 Gb/s");
  EXPECT_EQ(first_complaint("h100-sxm", {"die.area=900 mm2"}).message,
            "die.area: expected at most 858 mm2, the reticle of tsmc-4n; use die.count for more "
            "dies");
  EXPECT_EQ(first_complaint("h100-sxm", {"package.kind=fcbga"}).message,
            "package.kind: hbm3-6400 stacks need an interposer, and fcbga has none");
  EXPECT_EQ(first_complaint("h100-sxm", {"dram.stacks"}).message,
            "expected key=value, such as dram.stacks=6");
}

void expect_sources(const std::vector<InputValue>& inputs) {
  for (const InputValue& value : inputs) {
    if (is_number(value.text)) {
      EXPECT_TRUE(value.source.has_value()) << value.file << ": " << value.field;
    }
  }
}

TEST(Library, EveryNumberOfAShippedFileHasASource) {
  for (const std::string& name : names_in(kHome / "chips")) expect_sources(load(name).inputs);
  for (const std::string& name : names_in(kHome / "memories")) {
    const Node root = read_document(kHome / "memories" / (name + ".yaml"), Syntax::yaml);
    expect_sources(list_inputs(root, read_memory_part(root).sources));
  }
  for (const std::string& name : names_in(kHome / "networks")) {
    expect_sources(load_network(name, {}, kHome).inputs);
  }
  for (const std::string& name : names_in(kHome / "numerics")) {
    expect_sources(load_chip("snapdragon-8-elite", {}, kHome, {.instead = name}).inputs);
  }
}

TEST(Library, TheExampleOfTheManualIsAChip) {
  const std::string page = read_text(kHome / "docs/chip_file.md", std::size_t{1} << 20);
  const std::size_t begin = page.find("```yaml\n") + 8;
  auto example = std::make_shared<Source>(
      Source{"docs/chip_file.md", page.substr(begin, page.find("```", begin) - begin)});

  EXPECT_EQ(read_chip(parse_document(std::move(example), Syntax::yaml)).name, "tiny");
}

TEST(Library, TheUserIsTheSourceOfAnOverride) {
  const std::vector<InputValue> inputs = load("h100-sxm", {"dram.stacks=6"}).inputs;

  const auto stacks = std::find_if(inputs.begin(), inputs.end(),
                                   [](const InputValue& v) { return v.field == "dram.stacks"; });
  ASSERT_NE(stacks, inputs.end());
  EXPECT_EQ(stacks->text, "6");
  EXPECT_EQ(stacks->file, "--set dram.stacks=6");
  EXPECT_FALSE(stacks->source.has_value());
}

}  // namespace
}  // namespace presil
