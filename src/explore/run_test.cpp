#include "explore/run.h"

#include <cmath>

#include <gtest/gtest.h>

#include "base/testing/numerics.h"
#include "compiler/compile.h"
#include "explore/prepare.h"
#include "model/testing/tiny_llama.h"
#include "model/weights.h"
#include "values/session.h"

namespace presil {
namespace {

const Places kPlaces{PRESIL_SOURCE_DIR, PRESIL_SOURCE_DIR};

RunRequest small_request() {
  RunRequest r;
  r.chip = "h100-sxm";
  r.model = "smollm2-135m";
  r.context = 64;
  return r;
}

std::string fingerprint_of(const RunRequest& request) {
  return fingerprint(prepare(request, kPlaces).value(), kPlaces);
}

TEST(Run, TheFingerprintTellsApartWhateverChangesTheResult) {
  const RunRequest base = small_request();
  std::vector<RunRequest> others(7, base);
  others[0].chip = "a100-sxm-80gb";
  others[1].model = "llama-3.2-1b";
  others[2].overrides = {"node.wafer_price=9000 USD"};
  others[3].batch = 2;
  others[4].phase = PhaseChoice::decode;
  others[5].launch = LaunchMode::eager;
  others[6].dtype = "fp8_e4m3";

  const std::string same = fingerprint_of(base);

  EXPECT_EQ(fingerprint_of(base), same);
  for (std::size_t i = 0; i < others.size(); ++i) EXPECT_NE(fingerprint_of(others[i]), same) << i;
}

TEST(Run, ASetOfNumericsIsADtypeToo) {
  RunRequest by_dtype = small_request();
  by_dtype.dtype = "w4a16";
  RunRequest by_numerics = small_request();
  by_numerics.numerics = "w4a16";
  EXPECT_EQ(fingerprint_of(by_dtype), fingerprint_of(by_numerics));

  // What is a format as well is the format of the weights alone.
  by_dtype.dtype = "fp32";
  by_numerics.numerics = "fp32";
  EXPECT_NE(fingerprint_of(by_dtype), fingerprint_of(by_numerics));
}

TEST(Run, MeanPowerStaysWithinTheLimitOrTheClockIsAtItsLowest) {
  Picoseconds before(0);
  double lowest = 1;
  for (const char* limit : {"700 W", "220 W", "90 W"}) {
    RunRequest request = small_request();
    request.phase = PhaseChoice::prefill;
    request.overrides = {std::string("power.limit=") + limit, "power.idle=60 W",
                         "power.active=20 W"};
    const RunResult r = time_run(prepare(request, kPlaces).value(), kPlaces).value();
    const PhaseResult& phase = r.phases.front();
    const Power& power = r.chip.chip.power;
    EXPECT_TRUE(mean_power(phase) <= power.limit || phase.clock == power.min_clock)
        << limit << ": " << mean_power(phase).count() << " W at " << phase.clock;
    EXPECT_GE(phase.clock, power.min_clock);
    EXPECT_GE(phase.timeline.total, before) << "a lower limit is never faster";
    before = phase.timeline.total;
    lowest = phase.clock;
  }
  EXPECT_LT(lowest, 1) << "the last limit binds";
}

TEST(Run, TwoChipsMultiplyTogetherWhatOneDoes) {
  const auto phases = [](std::int64_t tp) {
    RunRequest request = small_request();
    request.model = "llama-3.2-1b";
    request.tensor_parallel = tp;
    return time_run(prepare(request, kPlaces).value(), kPlaces).value().phases;
  };
  const auto one = phases(1);
  const auto two = phases(2);
  for (std::size_t i = 0; i < one.size(); ++i) {
    const Counts& alone = one[i].timeline.counts;
    for (const auto& [format, macs] : alone.macs) {
      EXPECT_EQ(2 * two[i].timeline.counts.macs.at(format), macs) << one[i].name;
    }
    EXPECT_EQ(alone.link_bytes, Bytes(0));  // a group of one exchanges nothing
    EXPECT_GT(two[i].timeline.counts.link_bytes, Bytes(0));
  }
}

struct Decoded {
  Program program;
  std::vector<float> logits;
  Bytes weight_bytes;  // that the timeline read
};

/// One step of one token, by both readers.
Decoded decode_one(const Weights& weights, const Numerics& numerics) {
  const ChipFiles chip = load_chip("artemis-hbm3e", {}, kPlaces.home);
  CompileOptions options;
  options.numerics = numerics;
  options.stored_as = [&](std::string_view name) -> std::optional<Operand> {
    const WeightTensor* t = weights.find(name);
    return Operand{t->format, t->scaling};
  };
  Decoded d;
  d.program = compile(weights.architecture(), chip.chip, chip.memory, options).value();
  const BoundProgram bound = bind(d.program, {{{1, 0}}}).value();
  Session session(d.program, weights);
  d.logits = session.run(bound, std::vector<std::vector<int>>{{7}});
  d.weight_bytes = time_step(bound, chip.chip, chip.memory).weight_bytes;
  return d;
}

Weights tiny(const testing::TinyLlama& model) {
  return Weights::open_gguf(
      testing::write_file("run_weights_of_a_test.gguf", testing::tiny_llama(model)));
}

/// Mixed as Q4_K_M files are: layers 0 and 2 have matrices in q8_0, all else is q4_1.
testing::TinyLlama mixed() {
  return {.matrices = Format::q4_1, .tied = false, .n_layers = 4, .sensitive = Format::q8_0};
}

/// Values take their weights from a file, cycles from the program's DRAM: both read each once.
TEST(Run, ValuesAndCyclesAgreeAboutTheWeightBytes) {
  for (const testing::TinyLlama& model :
       {testing::TinyLlama{.matrices = Format::q4_1},
        testing::TinyLlama{.matrices = Format::q4_1, .tied = false}, mixed()}) {
    const Weights weights = tiny(model);
    std::int64_t in_file = 0;
    for (const WeightTensor& t : weights.tensors()) {
      // Without a head of its own the model multiplies with the embedding table.
      if (model.tied || t.name != "token_embd.weight") in_file += std::ssize(t.data);
    }
    EXPECT_EQ(decode_one(weights, testing::ggml_numerics()).weight_bytes, Bytes(in_file));
  }
}

/// Stored weights make blocks of layers, weights turned into fp32 one block; the numbers are those
/// of the same layers.
TEST(Run, LayersStoredUnlikeEachOtherGiveTheLogitsOfOneBlock) {
  const Weights weights = tiny(mixed());
  Numerics stored = testing::fp32_numerics();
  stored.products.weights.reset();
  Numerics converted = stored;
  converted.products.weights = Operand{Format::fp32};

  const Decoded several = decode_one(weights, stored);
  const Decoded one = decode_one(weights, converted);

  EXPECT_EQ(several.program.blocks.size(), 6u);  // embed, four layers that alternate, head
  EXPECT_EQ(one.program.blocks.size(), 3u);
  double difference = 0;
  double size = 0;
  for (std::size_t i = 0; i < one.logits.size(); ++i) {
    difference += std::pow(several.logits[i] - one.logits[i], 2);
    size += std::pow(one.logits[i], 2);
  }
  EXPECT_LT(std::sqrt(difference / size), 1e-5);
}

}  // namespace
}  // namespace presil
