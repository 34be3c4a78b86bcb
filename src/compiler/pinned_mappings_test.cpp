#include "compiler/pinned_mappings.h"

#include <algorithm>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/testing/numerics.h"
#include "chip/library.h"
#include "compiler/compile.h"
#include "model/registry.h"

namespace presil {
namespace {

const std::filesystem::path kHome = PRESIL_SOURCE_DIR;

std::vector<PinnedMapping> pins(const std::string& text) {
  const auto source = std::make_shared<Source>(Source{"pins.yaml", text});
  return read_mapping_file(parse_document(source, Syntax::yaml));
}

Program compiled(const std::string& mappings = "", const std::string& numerics = "bf16") {
  const ChipFiles files = load_chip("mtia-v2", {}, kHome);
  CompileOptions options;
  options.numerics = load_numerics(numerics, {}, kHome).numerics;
  if (!mappings.empty()) options.mappings = pins(mappings);
  const Architecture model = read_architecture(resolve_model("llama-3.2-1b", kHome));
  return compile(model, files.chip, files.memory, options).value();
}

std::string file_of(const std::string& lines) {
  return "presil: mapping/1\nmappings:\n" + lines;
}

const Kernel& kernel(const Program& p, std::string_view name) {
  const auto& kernels = p.blocks[1].kernels;
  return *std::find_if(kernels.begin(), kernels.end(),
                       [&](const Kernel& k) { return k.name == name; });
}

/// "line:column: message" of the only complaint about `lines`.
std::string complaint(const std::string& lines, const std::string& numerics = "bf16") {
  try {
    compiled(file_of(lines), numerics);
  } catch (const InputError& e) {
    EXPECT_EQ(e.diagnostics().size(), 1) << e.what();
    const Diagnostic& d = e.diagnostics().front();
    EXPECT_EQ(d.file, "pins.yaml");
    return fmt::format("{}:{}: {}", d.line, d.column, d.message);
  }
  return "none";
}

TEST(PinnedMappings, WhatIsPrintedPinsTheSameProgram) {
  for (const char* numerics : {"bf16", "int8-mtia"}) {
    const Program searched = compiled("", numerics);
    EXPECT_EQ(compiled(print_mappings(searched), numerics), searched) << numerics;
  }
}

TEST(PinnedMappings, TakeThePlaceOfSearchedOnesUpToTheirRows) {
  const Program searched = compiled();
  const Program p = compiled(file_of(
      "  - {kernel: layer.qkv, rows: 16, loops: [m/8 time, n/64 cores, m/4 cores, k/128 time], "
      "split_k: 2, buffers: 1, last_n: 32}\n"));
  const Mapping& pinned = kernel(p, "qkv").mappings.front();
  EXPECT_EQ(pinned.max_m, 16);
  EXPECT_EQ(pinned.tile(Axis::m), 4);
  EXPECT_EQ(pinned.strip().axis, Axis::m);
  EXPECT_EQ(pinned.strip().elements, 8);
  EXPECT_EQ(pinned.split_k, 2);
  EXPECT_EQ(pinned.buffers, 1);
  EXPECT_EQ(pinned.last_n, 32);
  EXPECT_EQ(kernel(p, "qkv").mappings.back(), kernel(searched, "qkv").mappings.back());
  EXPECT_EQ(kernel(p, "down"), kernel(searched, "down"));
}

TEST(PinnedMappings, AKernelThatDoesNotExistIsMendedByTheNearestName) {
  EXPECT_EQ(complaint("  - {kernel: layer.qvk, loops: [n/64 cores, m/1 cores, k/64 time]}\n"),
            "3:14: llama-3.2-1b on mtia-v2 has no kernel 'layer.qvk'; did you mean 'layer.qkv'?");
}

TEST(PinnedMappings, EveryAxisOfTheOperatorIsCovered) {
  EXPECT_EQ(complaint("  - {kernel: layer.qkv, loops: [n/64 cores, m/1 cores]}\n"),
            "3:25: layer.qkv: no loop over k: a mapping of gemm covers n, m, k");
  EXPECT_EQ(complaint("  - {kernel: layer.attention,\n     loops: [s/1 cores, h/1 cores, c/64 "
                      "time]}\n"),
            "4:6: layer.attention: no loop over q: a mapping of attention covers s, h, q, c");
  EXPECT_EQ(complaint("  - {kernel: layer.down, loops: [n/64 cores, m/1 cores, k/64 time, q/1 "
                      "time]}\n"),
            "3:68: layer.down: gemm has no axis q: expected n, m, k");
}

TEST(PinnedMappings, TilesAreWholeForTheEngineAndForScales) {
  EXPECT_EQ(complaint("  - {kernel: layer.qkv, loops: [n/48 cores, m/1 cores, k/64 time]}\n"),
            "3:33: layer.qkv: n/48 is off the matrix engine's grain of 32");
  EXPECT_EQ(complaint("  - {kernel: layer.qkv, loops: [n/64 cores, m/1 cores, k/192 time]}\n",
                      "fp8-hopper"),
            "3:56: layer.qkv: k/192 tears blocks of 128 elements that are stored together or share "
            "a scale");
  EXPECT_EQ(complaint("  - {kernel: layer.qkv, loops: [m/6 time, n/64 cores, m/4 cores, k/64 "
                      "time]}\n"),
            "3:33: layer.qkv: a strip of 6 is not whole tiles of 4");
}

TEST(PinnedMappings, SayWhichBufferIsTooLargeAndByHowMuch) {
  // mtia-v2 has 384 KiB a core: 393,216 bytes. Two buffers of 64 x 2048 inputs and of 64 x 2048
  // weights of two bytes, 64 x 64 sums of four.
  EXPECT_EQ(complaint("  - {kernel: layer.qkv, loops: [n/64 cores, m/64 cores, k/2048 time]}\n"),
            "3:25: layer.qkv: its tiles need 1064960 bytes of local memory (core.sram: 524288 for "
            "inputs, 524288 for weights, 16384 for sums), 671744 more than a core has");
}

TEST(PinnedMappings, SharesOfASplitAndLastWavesHaveTheirBounds) {
  EXPECT_EQ(
      complaint("  - {kernel: layer.qkv, loops: [n/64 cores, m/1 cores, k/512 time], split_k: "
                "8}\n"),
      "3:78: layer.qkv: k has 4 tiles of 512, too few for 8 cores");
  EXPECT_EQ(complaint("  - {kernel: layer.qkv, loops: [n/64 cores, m/1 cores, k/512 time], last_n: "
                      "64}\n"),
            "3:77: layer.qkv: expected less than the tile of 64, found 64");
  EXPECT_EQ(complaint("  - {kernel: layer.rope, split_k: 2, loops: [m/1 cores, n/3072 time]}\n"),
            "3:35: layer.rope: split_k is for products, and this is rope");
}

TEST(PinnedMappings, LoopsAndOrderAreRead) {
  EXPECT_EQ(complaint("  - {kernel: layer.qkv, loops: [n/64 cores, m/0 cores, k/64 time]}\n"),
            "3:45: mappings.loops: expected a loop such as \"n/64 cores\" or \"k/256 time\", found "
            "\"m/0 cores\"");
  EXPECT_EQ(complaint("  - {kernel: layer.qkv, loops: [k/64 time, n/64 cores, m/1 cores]}\n"),
            "3:25: layer.qkv: expected m and n over cores, then k in time; before them at most a "
            "strip in time of the second of them");
  const std::string loops = "loops: [n/64 cores, m/1 cores, k/64 time]}\n";
  EXPECT_EQ(
      complaint("  - {kernel: layer.qkv, " + loops + "  - {kernel: layer.qkv, rows: 8, " + loops),
      "4:31: layer.qkv: expected the mappings of a kernel by rows, ascending, that of any "
      "rows last");
}

}  // namespace
}  // namespace presil
