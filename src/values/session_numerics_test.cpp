// What a session promises whatever its numerics.
#include <algorithm>
#include <bit>
#include <string>

#include <gtest/gtest.h>
#include <tbb/global_control.h>

#include "model/testing/says.h"
#include "model/testing/tiny_llama.h"
#include "values/session.h"
#include "values/testing/distance.h"
#include "values/testing/double_forward.h"
#include "values/testing/named_sets.h"
#include "values/testing/small_program.h"

namespace presil {
namespace {

using testing::distance;
using testing::refusal;
using testing::says;
using testing::set_of;
using testing::small_program;

using Chunks = std::vector<std::vector<int>>;

const std::vector<int> kPrompt = {104, 101, 7, 200, 33, 104, 0, 31, 255, 12, 64, 64, 9};

const Weights& weights() {
  static const Weights tiny = Weights::open_gguf(testing::write_file(
      "numerics_tiny.gguf", testing::tiny_llama({.matrices = Format::q8_0, .d_ff = 160})));
  return tiny;
}

/// For what is smoothed; the others do not look at it.
const Calibration& calibration() {
  static const Calibration found =
      calibrate(small_program(weights(), set_of("int8-smooth")), weights(), kPrompt);
  return found;
}

/// The logits after each chunk, or of each token of it, one after another.
std::vector<float> run(const Program& program, const Weights& of, const Chunks& chunks,
                       LogitsOf logits_of = LogitsOf::last, SessionOptions options = {}) {
  if (options.calibration == nullptr) options.calibration = &calibration();
  Session session(program, of, options);
  std::vector<float> result;
  for (const std::vector<int>& chunk : chunks) {
    const auto bound = bind(program, {{{std::ssize(chunk), session.context(0)}}});
    const std::vector<float> logits = session.run(*bound, Chunks{chunk}, logits_of);
    result.insert(result.end(), logits.begin(), logits.end());
  }
  return result;
}

class EverySet : public ::testing::TestWithParam<Numerics> {};

TEST_P(EverySet, StaysAsNearAsItsFormatsAllow) {
  const auto exact = testing::DoubleForward(weights()).logits(kPrompt);
  const double error =
      distance(run(small_program(weights(), GetParam()), weights(), {kPrompt}), exact);

  // Each rounding errs by up to half a step: 2^-24, 2^-9, 1/254 of a row's largest, 2^-4 of FP8,
  // 1/14 of int4's largest, 2^-2 of FP4. Two layers and random weights make up to eight times that.
  const std::string& name = GetParam().name;
  const double half_step = name == "fp32"                               ? 0x1p-24
                           : name == "mxfp4" || name == "nvfp4"         ? 0x1p-2
                           : name == "w4a16"                            ? 1 / 14.0
                           : name.starts_with("fp8") || name == "mxfp8" ? 0x1p-4
                                                                        : 1 / 254.0;
  const double bound = 8 * half_step;
  EXPECT_LE(error, bound);
  EXPECT_GT(error, name == "fp32" ? 0 : 1e-4);
}

TEST_P(EverySet, GivesTheSameBitsOnAnyNumberOfThreads) {
  const Program program = small_program(weights(), GetParam());
  const auto with_threads = [&](std::size_t n) {
    const tbb::global_control limit(tbb::global_control::max_allowed_parallelism, n);
    return run(program, weights(), {kPrompt, {5}, {6}});
  };

  EXPECT_EQ(with_threads(1), with_threads(2));
}

TEST_P(EverySet, GivesTheSameBitsInOneStepAndInMany) {
  const Program program = small_program(weights(), GetParam(), {.c = 4});
  Chunks one_by_one;
  for (const int token : kPrompt) one_by_one.push_back({token});

  EXPECT_EQ(run(program, weights(), {kPrompt}, LogitsOf::all), run(program, weights(), one_by_one));
}

INSTANTIATE_TEST_SUITE_P(Sets, EverySet, ::testing::ValuesIn(testing::all_numerics()),
                         [](const auto& instance) {
                           std::string name = instance.param.name;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST(LogitsOf, AllAreARowForEachTokenOfEachSequence) {
  const Program program = small_program(weights(), testing::fp32_numerics());
  Session session(program, weights());
  const Chunks both = {{1, 2, 3}, {7, 9}};
  const auto bound = bind(program, {{{3, 0}, {2, 0}}});

  const std::vector<float> logits = session.run(*bound, both, LogitsOf::all);

  std::vector<float> expected = run(program, weights(), {{1}, {2}, {3}});
  const std::vector<float> second = run(program, weights(), {{7}, {9}});
  expected.insert(expected.end(), second.begin(), second.end());
  EXPECT_EQ(logits, expected);
  const auto row = [&](std::size_t i) { return logits.begin() + i * testing::kTinyVocabulary; };
  EXPECT_EQ(session.chosen()[0], std::max_element(row(2), row(3)) - row(2));
  EXPECT_EQ(session.chosen()[1], std::max_element(row(4), row(5)) - row(4));
}

/// Each layer in a block of its own, with tensors of its own.
Program with_a_block_a_layer(Program program) {
  const Block layers = program.blocks[1];
  program.blocks.erase(program.blocks.begin() + 1);
  for (std::int64_t i = layers.repeat - 1; i >= 0; --i) {
    Block block = layers;
    block.repeat = 1;
    block.first_layer = i;
    for (Kernel& kernel : block.kernels) {
      for (int& w : kernel.weights) {
        const Tensor copy = program.tensor(w);
        program.tensors.push_back(copy);
        w = static_cast<int>(program.tensors.size()) - 1;
      }
    }
    program.blocks.insert(program.blocks.begin() + 1, block);
  }
  return program;
}

TEST(Session, LayersInSeveralBlocksComputeWhatOneBlockDoes) {
  const Program one = small_program(weights(), testing::bf16_numerics());
  const Program several = with_a_block_a_layer(one);

  EXPECT_EQ(run(several, weights(), {kPrompt, {4}}), run(one, weights(), {kPrompt, {4}}));
}

TEST(Session, ShowsTheResidualStreamAfterEachLayer) {
  std::vector<std::int64_t> layers;
  std::vector<float> last;
  SessionOptions options;
  options.after_layer = [&](std::int64_t layer, std::span<const float> residual) {
    layers.push_back(layer);
    last.assign(residual.begin(), residual.end());
  };
  const Program program = small_program(weights(), testing::bf16_numerics());

  run(with_a_block_a_layer(program), weights(), {{1, 2, 3}}, LogitsOf::last, options);

  EXPECT_EQ(layers, (std::vector<std::int64_t>{0, 1}));
  ASSERT_EQ(last.size(), 3 * 64U);
  for (const float v : last) {  // bf16: the low half of the bits is 0
    EXPECT_EQ(std::bit_cast<std::uint32_t>(v) & 0xFFFFu, 0U);
  }
}

TEST(Session, NamesTheOperatorOfANumberBeyondItsFormat) {
  // One weight of 1000 in FP8 without a scale, whose largest is 448, is a NaN in e4m3.
  const std::string bytes = testing::tiny_llama({.seed = 3});
  const Weights clean = Weights::open_gguf(testing::write_file("numerics_clean.gguf", bytes));
  const auto data = clean.find("blk.1.ffn_gate.weight")->data.first(64);
  const std::string stored(reinterpret_cast<const char*>(data.data()), data.size());
  std::string large = bytes;
  large.replace(bytes.find(stored), 4, testing::raw(1000.0f));
  const Weights broken = Weights::open_gguf(testing::write_file("numerics_large.gguf", large));
  Numerics numerics = testing::bf16_numerics();
  numerics.name = "fp8";
  numerics.products.weights = numerics.products.activations = Operand{Format::fp8_e4m3};
  const auto attempt = [&] {
    return refusal<InputError>([&] { run(small_program(broken, numerics), broken, {kPrompt}); });
  };
  EXPECT_EQ(attempt(), "accepted");  // it saturates

  numerics.products.overflow = Overflow::infinite;

  EXPECT_TRUE(
      says(attempt(), "layer 1, gate_up: 'f' has numbers that are not finite; numerics fp8"));
}

}  // namespace
}  // namespace presil
