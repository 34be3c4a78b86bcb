// Laws: what nature and the definitions demand of any timeline.
#include "cycles/timeline.h"

#include <gtest/gtest.h>

#include "chip/derived.h"
#include "chip/dram_shape.h"
#include "chip/library.h"
#include "compiler/compile.h"
#include "model/registry.h"

namespace presil {
namespace {

const std::filesystem::path kHome = PRESIL_SOURCE_DIR;

struct Case {
  std::string chip;
  std::string model;
  Step step;
  std::vector<std::string> set;
  std::int64_t tp = 1;
  std::string numerics = "bf16";
};

Step decode(std::int64_t batch, std::int64_t context) {
  return {std::vector<Sequence>(static_cast<std::size_t>(batch), {1, context})};
}
Step prefill(std::int64_t tokens) {
  return {{{tokens, 0}}};
}

Timeline timed(const Case& c, const CyclesOptions& options = {}) {
  const ChipFiles files = load_chip(c.chip, c.set, kHome);
  CompileOptions compile_options;
  compile_options.numerics = load_numerics(c.numerics, {}, kHome).numerics;
  compile_options.tensor_parallel = c.tp;
  const Architecture model = read_architecture(resolve_model(c.model, kHome));
  const Program program = compile(model, files.chip, files.memory, compile_options).value();
  return time_step(bind(program, c.step).value(), files.chip, files.memory, options);
}

std::vector<Case> cases() {
  return {{"h100-sxm", "llama-3.2-1b", decode(1, 1024), {}},
          {"a100-sxm-80gb", "llama-3.2-1b", decode(16, 300), {}},
          {"h100-sxm", "llama-3.2-1b", prefill(700), {}},
          {"artemis-hbm3e", "llama-3.2-1b", decode(1, 1024), {}},
          {"artemis-hbm3e-wide", "llama-3.2-1b", prefill(128), {}},
          {"mtia-v1", "smollm2-135m", decode(4, 100), {}},
          {"trainium2", "llama-3.2-1b", decode(1, 64), {}},
          {"snapdragon-8-elite", "smollm2-135m", decode(1, 64), {}},
          {"snapdragon-8-elite", "whisper-small-encoder", prefill(1500), {}},
          {"h100-sxm", "whisper-small-encoder", prefill(1500), {}},
          {"h100-sxm", "llama-3.2-1b", decode(2, 50), {}, 8},
          {"h100-sxm", "llama-3.2-1b", prefill(300), {}, 1, "fp8-hopper"},
          {"mtia-v2", "smollm2-135m", prefill(64), {}, 1, "int8-smooth"},
          {"trainium2", "llama-3.2-1b", decode(2, 100), {}, 1, "w4a16"}};
}

TEST(Timeline, TakesAtLeastBytesOverPeakAndFlopsOverPeak) {
  for (const Case& c : cases()) {
    const Timeline t = timed(c);
    const ChipFiles files = load_chip(c.chip, c.set, kHome);
    const double seconds = to_seconds(t.total).count();
    EXPECT_GE(seconds, static_cast<double>(t.dram_bytes.count()) / t.dram_peak.count()) << c.chip;
    double matrix = 0;
    for (const auto& [format, macs] : t.counts.macs) {
      matrix += 2 * static_cast<double>(macs) / peak_flops(files.chip, format).count();
    }
    EXPECT_GE(seconds, matrix) << c.chip;
  }
}

TEST(Timeline, AnEncoderMultipliesWhatItsShapesSay) {
  const Timeline t = timed({"snapdragon-8-elite", "whisper-small-encoder", prefill(1500), {}});
  std::int64_t macs = 0;
  for (const auto& [format, count] : t.counts.macs) macs += count;
  // 12 layers: four squares of 768 and two of 768 x 3072 a frame; scores and sums of all pairs.
  const std::int64_t weights = 4 * 768 * 768 + 2 * 768 * 3072;
  EXPECT_EQ(macs, 12 * (1500 * weights + 2 * 768 * std::int64_t{1500} * 1500));
}

TEST(Timeline, ChargesSumToTheTimeAndKernelsAreBackToBack) {
  for (const Case& c : cases()) {
    const Timeline t = timed(c);
    Picoseconds sum(0);
    for (const Picoseconds charge : t.charges) {
      EXPECT_GE(charge, Picoseconds(0)) << c.chip;
      sum += charge;
    }
    EXPECT_EQ(sum, t.total) << c.chip;
    Picoseconds at(0);
    for (const KernelTime& k : t.kernels) {
      EXPECT_EQ(k.start, at);
      EXPECT_GE(k.end, k.start);
      at = k.end;
    }
    EXPECT_EQ(at, t.total);
  }
}

TEST(Timeline, MoreOfAResourceIsNeverSlower) {
  const Case base{"h100-sxm", "llama-3.2-1b", decode(1, 1024), {}};
  const double before = to_seconds(timed(base).total).count();
  for (const char* set : {"dram.stacks=6", "core.clock=2 GHz", "sram.read=9 TB/s",
                          "noc.bandwidth=20 TB/s", "dram.rate=6.4 Gb/s", "launch.graph=0.5 us"}) {
    Case more = base;
    more.set = {set};
    EXPECT_LE(to_seconds(timed(more).total).count(), before * 1.005) << set;
  }
}

TEST(Timeline, DecodeReadsTheWeightsOnceWhateverTheBatch) {
  const Timeline one = timed({"h100-sxm", "llama-3.2-1b", decode(1, 512), {}});
  const Timeline eight = timed({"h100-sxm", "llama-3.2-1b", decode(8, 512), {}});
  EXPECT_EQ(eight.weight_bytes, one.weight_bytes);
  // Tied: the head reads the embedding table, which the embedding itself only looks rows up in.
  const Architecture m = read_architecture(resolve_model("llama-3.2-1b", kHome));
  EXPECT_EQ(one.weight_bytes.count(), parameter_count(m) * 2);
}

TEST(Timeline, DecodeReadsTheCacheOnceAndAppendsToIt) {
  const std::int64_t context = 512;
  const Timeline t = timed({"h100-sxm", "llama-3.2-1b", decode(1, context), {}});
  const Architecture m = read_architecture(resolve_model("llama-3.2-1b", kHome));
  const std::int64_t row = 2 * m.n_layers * m.n_kv_heads * m.head_dim * 2;  // k and v, bf16
  EXPECT_EQ(t.kv_bytes.count(), row * (context + 1) + row);
}

TEST(Timeline, NarrowerWeightsAreFewerBytesAndNoSlower) {
  const auto decoded = [](const std::string& numerics) {
    return timed({"h100-sxm", "llama-3-8b", decode(1, 512), {}, 1, numerics});
  };
  const Timeline bf16 = decoded("bf16");
  const Timeline hopper = decoded("fp8-hopper");
  const Timeline mxfp4 = decoded("mxfp4");
  EXPECT_LT(hopper.total, bf16.total);
  EXPECT_LT(mxfp4.total, hopper.total);
  EXPECT_EQ(hopper.kv_bytes, bf16.kv_bytes);
  const Architecture m = read_architecture(resolve_model("llama-3-8b", kHome));
  const std::int64_t in_layers =  // of the matrices of all layers
      m.n_layers * m.d_model *
      (2 * m.n_heads * m.head_dim + 2 * m.n_kv_heads * m.head_dim + 3 * m.d_ff);
  // A byte saved of each, less an fp32 scale for 128 x 128 of them.
  EXPECT_EQ((bf16.weight_bytes - hopper.weight_bytes).count(),
            in_layers - in_layers / (128 * 128) * 4);
  // Half a byte each and a byte for 32 of them.
  EXPECT_EQ((bf16.weight_bytes - mxfp4.weight_bytes).count(),
            2 * in_layers - in_layers / 2 - in_layers / 32);
}

TEST(Timeline, PrefillCountsCausalAttentionOnly) {
  const std::int64_t n = 700;
  const Timeline t = timed({"h100-sxm", "llama-3.2-1b", prefill(n), {}});
  const Architecture m = read_architecture(resolve_model("llama-3.2-1b", kHome));
  const std::int64_t attention = 4 * m.n_layers * m.n_heads * m.head_dim * n * (n + 1) / 2;
  const std::int64_t matrices =
      m.n_layers * m.d_model *
      (2 * m.n_heads * m.head_dim + 2 * m.n_kv_heads * m.head_dim + 3 * m.d_ff);
  const std::int64_t macs = n * matrices + m.d_model * m.vocab_size + attention / 2;
  std::int64_t counted = 0;
  for (const auto& [format, count] : t.counts.macs) counted += count;
  EXPECT_EQ(counted, macs);
}

TEST(Timeline, RefreshOffIsFasterAndSlowerClockIsSlower) {
  const Case base{"h100-sxm", "llama-3.2-1b", decode(1, 1024), {}};
  Case off = base;
  off.set = {"dram.refresh=off"};
  EXPECT_LT(timed(off).total, timed(base).total);
  const Case busy{"h100-sxm", "llama-3.2-1b", prefill(512), {}};
  EXPECT_GT(timed(busy, {LaunchMode::graph, 0.7}).total, timed(busy).total);
}

TEST(Timeline, IsTheSameEveryTime) {
  const Case c{"artemis-hbm3e", "llama-3.2-1b", decode(3, 200), {}};
  const Timeline a = timed(c);
  const Timeline b = timed(c);
  EXPECT_EQ(a.total, b.total);
  EXPECT_EQ(a.charges, b.charges);
  EXPECT_EQ(a.memory.commands.ACT, b.memory.commands.ACT);
}

TEST(Timeline, RefusesWhatWouldBeSimulatedForHours) {
  // 270 MB of weights over a network of 1 MB/s take 270 s.
  EXPECT_THROW(timed({"h100-sxm", "smollm2-135m", decode(1, 64), {"noc.bandwidth=1 MB/s"}}),
               LimitReached);
  // 16 GB of weights in pieces of a kilobyte on each of 160 pseudo-channels.
  EXPECT_THROW(timed({"h100-sxm", "llama-3-8b", decode(65536, 8000), {"dram.capacity=1000 TB"}}),
               LimitReached);
}

}  // namespace
}  // namespace presil
