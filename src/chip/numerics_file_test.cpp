#include "chip/numerics_file.h"

#include <fstream>

#include <gtest/gtest.h>

#include "base/testing/scratch.h"
#include "chip/library.h"

namespace presil {
namespace {

const std::filesystem::path kHome = PRESIL_SOURCE_DIR;

Numerics named(const std::string& name, const std::vector<std::string>& set = {}) {
  return load_numerics(name, set, kHome).numerics;
}

/// The complaints about numerics with fields changed, one a line as "column message".
std::string complaints(const std::string& name, const std::vector<std::string>& set) {
  try {
    named(name, set);
  } catch (const InputError& e) {
    std::string all;
    for (const Diagnostic& d : e.diagnostics()) {
      all += std::to_string(d.column) + " " + d.message + "\n";
    }
    return all;
  }
  return "";
}

TEST(NumericsFile, EveryNamedSetIsShipped) {
  const std::vector<std::string> expected = {"bf16",  "fp32",      "fp8-blackwell", "fp8-hopper",
                                             "ggml",  "int8-mtia", "int8-smooth",   "mxfp4",
                                             "mxfp8", "nvfp4",     "w4a16"};
  EXPECT_EQ(names_in(kHome / "numerics"), expected);
  for (const std::string& name : expected) EXPECT_EQ(named(name).name, name);
}

TEST(NumericsFile, HopperKeepsFourteenBitsAndPromotesEvery128Products) {
  const Numerics n = named("fp8-hopper");
  EXPECT_EQ(n.products.weights, (Operand{Format::fp8_e4m3, Scaling::block_128}));
  EXPECT_EQ(n.products.activations, (Operand{Format::fp8_e4m3, Scaling::group_128}));
  EXPECT_EQ(n.products.accumulator, (Accumulator{.kind = Accumulator::Kind::aligned,
                                                 .group = 32,
                                                 .bits = 14,
                                                 .rounding = Accumulator::Rounding::truncate,
                                                 .promote_every = 128}));
  EXPECT_EQ(n.of_head().weights, Operand{Format::bf16});
  EXPECT_EQ(n.stream, Format::bf16);
}

TEST(NumericsFile, StoredAndGgmlLeaveTheOperandToTheFile) {
  const Numerics n = named("ggml");
  EXPECT_FALSE(n.products.weights.has_value());
  EXPECT_FALSE(n.products.activations.has_value());
  EXPECT_EQ(n.products.accumulator, Accumulator{});
  EXPECT_FALSE(n.head.has_value());
}

TEST(NumericsFile, AChangedFieldShowsInTheName) {
  const Numerics n = named("fp8-hopper", {"accumulator.bits=12"});
  EXPECT_EQ(n.products.accumulator.bits, 12);
  EXPECT_EQ(n.name, "fp8-hopper*");
  EXPECT_EQ(named("fp8-hopper", {"name=mine", "accumulator.bits=12"}).name, "mine");
}

TEST(NumericsFile, AnotherKindOfSumForgetsTheFieldsOfTheFirst) {
  const Accumulator sum = named("fp8-hopper", {"accumulator.kind=fp32"}).products.accumulator;
  EXPECT_EQ(sum, (Accumulator{.promote_every = 128}));
}

TEST(NumericsFile, RefusesWhatNothingComputes) {
  const auto refuses = [](const std::string& name, const std::vector<std::string>& set,
                          const std::string& message) {
    const std::string all = complaints(name, set);
    EXPECT_NE(all.find(message), std::string::npos) << name << " gave: " << all;
  };
  refuses("bf16", {"accumulator.kind=int32"}, "accumulator.kind: int32 adds products of integers");
  refuses("fp32", {"accumulator.kind=aligned", "accumulator.bits=14"},
          "accumulator.kind: aligned adds products that fit fp32");
  // 32 products and the running sum: 33 x 2^20 is above 2^24.
  refuses("fp8-hopper", {"accumulator.bits=20"}, "accumulator.bits: the sum of 32 products");
  refuses("bf16", {"accumulator.group=12"}, "accumulator.group: a tree has a power of two");
  refuses("bf16", {"weights.scaling=channel"}, "weights.scaling: bf16 needs no scale");
  refuses("int8-mtia", {"weights.scaling=none"}, "weights.scaling: int8 has no meaning without");
  refuses("int8-mtia", {"weights.scaling=mx_32"}, "weights.scaling: mx_32 scales fp8_e4m3");
  refuses("mxfp8", {"weights.scaling=nv_16"}, "weights.scaling: nv_16 scales fp4_e2m1");
  refuses("fp8-hopper", {"weights.scaling=token"}, "weights.scaling: token is for activations");
  refuses("fp8-hopper", {"activations.scaling=block_128"}, "activations.scaling: block_128 would");
  refuses("fp8-hopper", {"weights.format=int8"}, "activations.format: fp8_e4m3 with scales by");
  refuses("fp8-hopper", {"head.weights.format=int8"}, "head.weights.scaling: int8 has no meaning");
  refuses("ggml", {"weights.format=bf16"}, "activations.format: ggml quantises activations for");
  refuses("ggml", {"weights.scaling=channel"}, "weights.scaling: stored has the scales that it");
  refuses("ggml", {"smoothing=0.5"}, "smoothing: the weights are multiplied by it");
  refuses("bf16", {"kv_cache.scaling=group_128"}, "kv_cache.scaling: bf16 needs no scale");
  refuses("bf16", {"functions.kind=table", "functions.entries=100"}, "expected a power of two");
  refuses("bf16", {"weights.format=q4_0"}, "weights.format: expected one of stored, fp32");
  refuses("bf16", {"accumulator.bits=25"}, "from 2 to 24");
  refuses("bf16", {"smoothing=2"}, "smoothing: expected");
}

TEST(NumericsFile, ASettingThatChangesNothingIsRefused) {
  EXPECT_EQ(complaints("bf16", {"accumulator.bits=14"}),
            "18 accumulator.bits: means nothing in sums of kind fp32\n");
}

TEST(NumericsFile, DescribesTheFieldsItReads) {
  std::vector<std::string> names;
  for (const Schema& field : numerics_schema().fields) names.push_back(field.name);
  const std::vector<std::string> expected = {
      "presil",   "name",      "weights", "activations", "accumulator", "overflow", "head",
      "kv_cache", "attention", "stream",  "functions",   "smoothing",   "sources"};
  EXPECT_EQ(names, expected);
}

/// A chip file of the test's own: the shipped one with its numerics line replaced.
ChipFiles with_numerics(const std::string& line, const std::vector<std::string>& set = {},
                        const NumericsChoice& choice = {}) {
  std::string text = read_text(kHome / "chips/h100-sxm.yaml", std::size_t{1} << 20);
  text.replace(text.find("numerics: bf16"), 14, line);
  const std::filesystem::path file = testing::scratch_folder() / "numerics_chip.yaml";
  std::ofstream(file) << text;
  return load_chip(file.string(), set, kHome, choice);
}

TEST(ChipNumerics, AChipNamesItsOwnAndTheUserReplacesThem) {
  EXPECT_EQ(load_chip("h100-sxm", {}, kHome).numerics, named("bf16"));
  EXPECT_EQ(load_chip("h100-sxm", {}, kHome, {.instead = "fp8-hopper"}).numerics,
            named("fp8-hopper"));
  EXPECT_EQ(load_chip("h100-sxm", {"numerics=mxfp8"}, kHome).numerics, named("mxfp8"));
  EXPECT_EQ(load_chip("snapdragon-8-elite", {}, kHome, {.otherwise = "ggml"}).numerics,
            named("ggml"));
  EXPECT_EQ(load_chip("h100-sxm", {}, kHome, {.otherwise = "ggml"}).numerics, named("bf16"));
}

TEST(ChipNumerics, AChipMayChangeFieldsOfASetAndTheUserFieldsOfThat) {
  const std::string own = "numerics: {base: fp8-hopper, accumulator: {bits: 12, group: 16}}";
  const Numerics chips = with_numerics(own).numerics;
  EXPECT_EQ(chips.name, "fp8-hopper*");
  EXPECT_EQ(chips.products.accumulator.bits, 12);
  EXPECT_EQ(chips.products.accumulator.promote_every, 128);
  const Numerics users = with_numerics(own, {"numerics.accumulator.bits=10"}).numerics;
  EXPECT_EQ(users.products.accumulator.bits, 10);
  EXPECT_EQ(users.products.accumulator.group, 16);
}

TEST(ChipNumerics, ComplaintsPointToWhereTheFieldWasWritten) {
  const auto first = [](const std::string& line, const std::vector<std::string>& set) {
    try {
      with_numerics(line, set);
    } catch (const InputError& e) {
      return e.diagnostics().front();
    }
    return Diagnostic{};
  };
  const Diagnostic in_chip = first("numerics: {base: bf16, accumulator: {bitz: 3}}", {});
  EXPECT_NE(in_chip.file.find("numerics_chip.yaml"), std::string::npos);
  EXPECT_EQ(in_chip.message, "unknown key 'bitz' in accumulator; did you mean 'bits'?");
  EXPECT_EQ(first("numerics: fp8-hoper", {}).message,
            "numerics: no file 'fp8-hoper.yaml' in numerics/; did you mean 'fp8-hopper'?");
  EXPECT_NE(first("numerics: [bf16]", {}).message.find("expected a file in numerics/"),
            std::string::npos);
  EXPECT_NE(first("numerics: {accumulator: {bits: 3}}", {}).message.find("{base: NAME, ...}"),
            std::string::npos);
  const Diagnostic argument = first("numerics: fp8-hopper", {"numerics.accumulator.bits=many"});
  EXPECT_EQ(argument.file, "--set numerics.accumulator.bits=many");
  EXPECT_EQ(argument.column, 27);  // after "numerics.accumulator.bits="
}

TEST(ChipNumerics, NamesTheNearestSet) {
  try {
    named("fp8-hoper");
    FAIL();
  } catch (const MissingInput& e) {
    EXPECT_STREQ(e.what(), "no set of numerics is called 'fp8-hoper'; did you mean 'fp8-hopper'?");
  }
}

}  // namespace
}  // namespace presil
