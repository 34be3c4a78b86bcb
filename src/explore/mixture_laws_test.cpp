// Laws of models with experts, latent attention and windows: what must move, and what must not.
#include <gtest/gtest.h>

#include "chip/derived.h"
#include "chip/library.h"
#include "compiler/compile.h"
#include "cycles/timeline.h"
#include "cycles/work.h"
#include "model/registry.h"

namespace presil {
namespace {

const std::filesystem::path kHome = PRESIL_SOURCE_DIR;
// The largest of them fit no single chip; what they move does not depend on it.
const std::vector<std::string> kRoom = {"dram.capacity=2 TB"};

struct Case {
  std::string chip;
  std::string model;
  Step step;
  CompileOptions split = {};
};

Step decode(std::size_t batch, std::int64_t context) {
  return {std::vector<Sequence>(batch, {1, context})};
}

Architecture model(const std::string& name) {
  return read_architecture(resolve_model(name, kHome));
}

Timeline timed(const Case& c) {
  const ChipFiles files = load_chip(c.chip, kRoom, kHome);
  CompileOptions options = c.split;
  options.numerics = load_numerics("bf16", {}, kHome).numerics;
  const Program program = compile(model(c.model), files.chip, files.memory, options).value();
  return time_step(bind(program, c.step).value(), files.chip, files.memory);
}

CompileOptions split(std::int64_t tp, std::int64_t ep, std::int64_t dp = 1, double imbalance = 1) {
  CompileOptions o;
  o.tensor_parallel = tp;
  o.expert_parallel = ep;
  o.data_parallel = dp;
  o.expert_imbalance = imbalance;
  return o;
}

TEST(MixtureLaws, TimeIsAtLeastBytesAndFlopsOverPeakAndChargesSumToIt) {
  CompileOptions sequence = split(2, 1);
  sequence.sequence_parallel = true;
  for (const Case& c : {Case{"h100-sxm", "qwen3-30b-a3b", decode(4, 300)},
                        Case{"artemis-hbm3e", "gpt-oss-20b", decode(2, 500)},
                        Case{"h100-sxm", "gpt-oss-20b", {{{300, 0}, {1, 700}}}},
                        Case{"h100-sxm", "deepseek-v3", decode(8, 200), split(8, 8)},
                        Case{"h100-sxm", "deepseek-v3", {{{64, 0}, {1, 90}}}, split(1, 8, 8)},
                        Case{"h100-sxm", "mixtral-8x7b", {{{100, 0}}}, sequence}}) {
    const Timeline t = timed(c);
    const ChipFiles files = load_chip(c.chip, kRoom, kHome);
    const double seconds = to_seconds(t.total).count();
    EXPECT_GE(seconds, static_cast<double>(t.dram_bytes.count()) / t.dram_peak.count()) << c.model;
    double matrix = 0;
    for (const auto& [format, macs] : t.counts.macs) {
      matrix += 2 * static_cast<double>(macs) / peak_flops(files.chip, format).count();
    }
    EXPECT_GE(seconds, matrix) << c.model;
    Picoseconds sum(0);
    for (const Picoseconds charge : t.charges) sum += charge;
    EXPECT_EQ(sum, t.total) << c.model;
  }
}

TEST(MixtureLaws, OneTokenReadsTheExpertsItIsSentToAndManyReadAll) {
  const Architecture m = model("qwen3-30b-a3b");
  const std::int64_t table = m.vocab_size * m.d_model;  // only looked up in
  const Timeline one = timed({"h100-sxm", "qwen3-30b-a3b", decode(1, 10)});
  EXPECT_EQ(one.weight_bytes.count(), 2 * (active_parameter_count(m) - table));
  const Timeline many = timed({"h100-sxm", "qwen3-30b-a3b", decode(2048, 10)});
  const auto all = static_cast<double>(2 * (parameter_count(m) - table));
  EXPECT_NEAR(static_cast<double>(many.weight_bytes.count()), all, 1e-6 * all);
}

TEST(MixtureLaws, LatentAttentionReadsTheLatentsOnceForAllHeads) {
  const std::int64_t context = 400;
  const Timeline t = timed({"h100-sxm", "deepseek-v3", decode(1, context), split(8, 8)});
  const std::int64_t row = 61 * (512 + 64) * 2;
  EXPECT_EQ(t.kv_bytes.count(), row * (context + 1) + row);  // read, and appended to
}

TEST(MixtureLaws, LayersWithAWindowReadNoMoreThanIt) {
  const std::int64_t context = 1000;
  const Timeline t = timed({"h100-sxm", "gpt-oss-20b", decode(1, context)});
  const std::int64_t row = 2 * 8 * 64 * 2;  // of a layer: k and v of eight heads
  EXPECT_EQ(t.kv_bytes.count(), row * (12 * (context + 1) + 12 * 128 + 24));
}

TEST(MixtureLaws, ExpertsOfGptOssAreReadInFourBits) {
  const Architecture m = model("gpt-oss-20b");
  const std::int64_t experts = 24 * 4 * 3 * m.d_model * m.experts.d_ff;  // of one token
  const Timeline t = timed({"h100-sxm", "gpt-oss-20b", decode(1, 10)});
  // Half a byte each and a byte for 32; biases and sinks are left out, the rest is bf16.
  const std::int64_t rest = 2 * (active_parameter_count(m) - experts - m.vocab_size * m.d_model);
  EXPECT_NEAR(static_cast<double>(t.weight_bytes.count()),
              static_cast<double>(experts / 2 + experts / 32 + rest),
              0.002 * static_cast<double>(rest));
}

TEST(MixtureLaws, ExpertsWaitForTheRouterThatChoosesThem) {
  const ChipFiles files = load_chip("artemis-hbm3e", kRoom, kHome);
  CompileOptions options;
  options.numerics = load_numerics("bf16", {}, kHome).numerics;
  int chosen = 0, known = 0;
  for (const char* name : {"qwen3-30b-a3b", "deepseek-v3"}) {
    const Program program = compile(model(name), files.chip, files.memory, options).value();
    const BoundProgram bound = bind(program, decode(1, 100)).value();
    for_each_kernel(bound, [&](const KernelAt& at) {
      if (at.layer > 0) return;
      const std::string& kernel = at.bound->kernel->name;
      for (const DramTraffic& t :
           work_of(bound, at.block, at.kernel, at.layer, files.chip).traffic) {
        const bool waits = t.cargo == Cargo::experts;
        EXPECT_EQ(waits, kernel == "experts_gate_up" || kernel == "experts_down") << kernel;
        (waits ? chosen : known) += 1;
      }
    });
  }
  EXPECT_GT(chosen, 0);
  EXPECT_GT(known, 0);  // of them all heads' absorbed products, which no router chooses
}

TEST(MixtureLaws, ABusierChipTakesLonger) {
  const Step step = decode(512, 10);
  const Timeline even = timed({"h100-sxm", "qwen3-30b-a3b", step, split(8, 8)});
  const Timeline busy = timed({"h100-sxm", "qwen3-30b-a3b", step, split(8, 8, 1, 2)});
  EXPECT_GT(busy.total, even.total);
  EXPECT_EQ(busy.weight_bytes, even.weight_bytes);
}

TEST(MixtureLaws, ReplicasThatShareExpertsReadThemOnce) {
  // Eight replicas of four sequences: a chip has 16 of 128 experts instead of all.
  const Timeline alone = timed({"h100-sxm", "qwen3-30b-a3b", decode(4, 100)});
  const Timeline shared = timed({"h100-sxm", "qwen3-30b-a3b", decode(4, 100), split(1, 8, 8)});
  EXPECT_LT(shared.weight_bytes, alone.weight_bytes);
  EXPECT_GT(shared.counts.link_bytes, Bytes(0));
  EXPECT_EQ(alone.counts.link_bytes, Bytes(0));
}

}  // namespace
}  // namespace presil
