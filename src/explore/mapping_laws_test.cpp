// Laws of mappings: a pinned one is never slower on more hardware, and a searched one never slower
// than one that was found for something else.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/testing/unless_sanitized.h"
#include "chip/dram_shape.h"
#include "chip/library.h"
#include "compiler/compile.h"
#include "compiler/pinned_mappings.h"
#include "cycles/timeline.h"
#include "explore/prepare.h"
#include "explore/run.h"
#include "model/registry.h"

namespace presil {
namespace {

const std::filesystem::path kHome = PRESIL_SOURCE_DIR;
constexpr double kSlack = 1.005;

struct Case {
  std::string chip;
  std::string model;
  Step step;
};

Step decode(std::int64_t batch, std::int64_t context) {
  return {std::vector<Sequence>(static_cast<std::size_t>(batch), {1, context})};
}
Step prefill(std::int64_t tokens) {
  return {{{tokens, 0}}};
}

/// Steps of as many rows as mappings are searched for: between those a mapping is the next one's.
std::vector<Case> cases() {
  std::vector<Case> all = {{"mtia-v1", "smollm2-135m", prefill(512)},
                           {"snapdragon-8-elite", "smollm2-135m", decode(1, 64)},
                           {"artemis-hbm3e", "llama-3.2-1b", decode(1, 512)},
                           {"artemis-hbm3e", "llama-3.2-1b", prefill(256)},
                           {"mtia-v2", "llama-3.2-1b", decode(16, 200)},
                           {"trainium2", "llama-3.2-1b", decode(8, 100)},
                           {"trainium2", "llama-3.2-1b", prefill(512)}};
  all.resize(static_cast<std::size_t>(unless_sanitized(static_cast<int>(all.size()), 2)));
  return all;
}

Program compiled(const ChipFiles& files, const Case& c, std::vector<PinnedMapping> mappings = {}) {
  CompileOptions options;
  options.numerics = load_numerics("bf16", {}, kHome).numerics;
  options.mappings = std::move(mappings);
  const Architecture model = read_architecture(resolve_model(c.model, kHome));
  return compile(model, files.chip, files.memory, options).value();
}

std::vector<PinnedMapping> mappings_of(const Program& program) {
  const auto source = std::make_shared<Source>(Source{"mappings", print_mappings(program)});
  return read_mapping_file(parse_document(source, Syntax::yaml));
}

double seconds(const Program& program, const Case& c, const ChipFiles& files) {
  const BoundProgram bound = bind(program, c.step).value();
  return to_seconds(time_step(bound, files.chip, files.memory).total).count();
}

/// Settings that make one thing of `chip` better.
std::vector<std::string> improvements(const Chip& chip) {
  std::vector<std::string> sets = {
      fmt::format("core.clock={} MHz", 1.3 * chip.core.clock.count() / 1e6),
      fmt::format("core.sram.read={} B/cycle", 2 * chip.core.sram.read.count()),
      fmt::format("core.vector.flops_per_cycle={}", 2 * chip.core.vector.flops_per_cycle),
      fmt::format("noc.bandwidth={} GB/s", 1.5 * chip.noc.bandwidth.count() / 1e9)};
  if (chip.sram) {
    sets.push_back(fmt::format("sram.read={} GB/s", 1.5 * chip.sram->read.count() / 1e9));
  }
  return sets;
}

TEST(MappingLaws, APinnedMappingIsNeverSlowerOnMoreHardware) {
  for (const Case& c : cases()) {
    const ChipFiles files = load_chip(c.chip, {}, kHome);
    const Program program = compiled(files, c);
    const double before = seconds(program, c, files);
    for (const std::string& set : improvements(files.chip)) {
      const ChipFiles more = load_chip(c.chip, {set}, kHome);
      const double after = seconds(compiled(more, c, mappings_of(program)), c, more);
      EXPECT_LE(after, before * kSlack) << c.chip << " " << c.model << " " << set;
    }
  }
}

/// GPUs are timed by the laws of their libraries, at the highest clock.
TEST(MappingLaws, ALibrarysKernelsAreNeverSlowerOnMoreHardware) {
  const Places places{kHome, "."};
  for (const char* chip : {"h100-sxm", "a100-sxm-80gb"}) {
    RunRequest request;
    request.chip = chip;
    request.model = "llama-3.2-1b";
    request.burst = true;
    const auto before = time_run(prepare(request, places).value(), places).value().phases;
    for (const char* set : {"core.boost=2.3 GHz", "dram.stacks=6", "sram.read=9 TB/s",
                            "noc.bandwidth=30 TB/s", "core.vector.exp_per_cycle=32"}) {
      RunRequest more = request;
      more.overrides = {set};
      const auto after = time_run(prepare(more, places).value(), places).value().phases;
      for (std::size_t i = 0; i < before.size(); ++i) {
        EXPECT_LE(to_seconds(after[i].timeline.total).count(),
                  to_seconds(before[i].timeline.total).count() * kSlack)
            << chip << " " << before[i].name << " " << set;
      }
    }
  }
}

TEST(MappingLaws, ATensorGroupOfOneIsNoGroup) {
  for (const Case& c : cases()) {
    const ChipFiles files = load_chip(c.chip, {}, kHome);
    for (const Block& block : compiled(files, c).blocks) {
      for (const Kernel& k : block.kernels) {
        EXPECT_NE(k.op, Op::all_reduce) << k.name;
        EXPECT_NE(k.op, Op::all_gather) << k.name;
      }
    }
  }
}

TEST(MappingLaws, ANewSearchIsNeverWorseThanAPinnedMapping) {
  for (const Case& c : cases()) {
    const ChipFiles files = load_chip(c.chip, {}, kHome);
    const auto pins = mappings_of(compiled(files, c));
    for (const std::string& set : improvements(files.chip)) {
      const ChipFiles more = load_chip(c.chip, {set}, kHome);
      const double pinned = seconds(compiled(more, c, pins), c, more);
      const double searched = seconds(compiled(more, c), c, more);
      EXPECT_LE(searched, pinned * kSlack) << c.chip << " " << c.model << " " << set;
    }
  }
}

TEST(MappingLaws, NoEngineIsBusyForLongerThanTheStep) {
  for (const Case& c : cases()) {
    const ChipFiles files = load_chip(c.chip, {}, kHome);
    const Program program = compiled(files, c);
    const BoundProgram bound = bind(program, c.step).value();
    const Timeline t = time_step(bound, files.chip, files.memory);
    for (std::size_t r = 0; r < kResources; ++r) {
      EXPECT_LE(t.busy[r], t.total) << c.chip << " " << to_string(static_cast<Resource>(r));
      EXPECT_GE(t.busy[r], Picoseconds(0));
    }
  }
}

/// The search ranks by a closed form; the timeline simulates. Where they part, so does the choice.
TEST(MappingLaws, TheClosedFormIsNearTheTimeline) {
  for (const char* name : {"artemis-hbm3e", "mtia-v1", "trainium2", "snapdragon-8-elite"}) {
    const ChipFiles files = load_chip(name, {}, kHome);
    for (const std::int64_t rows : {1, 32, unless_sanitized(512, 64)}) {
      const Case c{name, "llama-3.2-1b", prefill(rows)};
      const Program program = compiled(files, c);
      const BoundProgram bound = bind(program, c.step).value();
      const Timeline t = time_step(bound, files.chip, files.memory);
      for (const KernelTime& k : t.kernels) {
        if (k.name != "gate_up" || k.layer != 3) continue;
        const Kernel& kernel = program.blocks[1].kernels[6];
        ASSERT_EQ(kernel.name, "gate_up");
        GemmShape shape = shape_of(program, kernel, program.numerics.products);
        shape.m = rows;
        shape.gated = true;
        shape.vector =
            tile_vector(program.numerics.products, shape.weights, shape.multiply, Finish::gate);
        // The bandwidth that the memory reaches, not its peak: 0.8 to 0.95 of it.
        const BytesPerSecond dram = peak_bandwidth(files.memory, files.chip.dram) * 0.9;
        const double form = GemmSearch(shape, files.chip, dram)
                                .seconds(cut_of(*bound.blocks[1].kernels[6].mapping, shape));
        const double time = to_seconds(k.end - k.start).count();
        EXPECT_NEAR(form / time, 1, 0.25) << name << " " << rows << " " << form << " " << time;
      }
    }
  }
}

}  // namespace
}  // namespace presil
