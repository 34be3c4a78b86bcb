#include "values/session.h"
#include "base/testing/numerics.h"

#include <cmath>
#include <limits>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <tbb/global_control.h>

#include "model/testing/says.h"
#include "model/testing/tiny_llama.h"
#include "values/generate.h"
#include "values/testing/distance.h"
#include "values/testing/double_forward.h"
#include "values/testing/small_program.h"

namespace presil {
namespace {

using testing::distance;
using testing::refusal;
using testing::says;
using testing::small_program;
using testing::TinyLlama;

const std::vector<int> kPrompt = {104, 101, 7, 200, 33, 104, 0, 31, 255, 12, 64, 64, 9};

Weights tiny_weights(const TinyLlama& model, const std::string& name = "values_tiny.gguf") {
  return Weights::open_gguf(testing::write_file(name, testing::tiny_llama(model)));
}

/// Runs the chunks one after another; the logits after the last.
std::vector<float> run_chunks(const Program& program, const Weights& weights,
                              const std::vector<std::vector<int>>& chunks) {
  Session session(program, weights);
  std::vector<float> logits;
  for (const std::vector<int>& chunk : chunks) {
    const auto bound = bind(program, {{{std::ssize(chunk), session.context(0)}}});
    logits = session.run(*bound, std::vector<std::vector<int>>{chunk});
  }
  return logits;
}

std::vector<float> run_prompt(const Program& program, const Weights& weights) {
  return run_chunks(program, weights, {kPrompt});
}

struct Variant {
  std::string name;
  TinyLlama model;
};

class Forward : public ::testing::TestWithParam<Variant> {};

TEST_P(Forward, InFp32AgreesWithDoublePrecision) {
  const Weights weights = tiny_weights(GetParam().model, "values_" + GetParam().name + ".gguf");
  const Program program = small_program(weights, testing::fp32_numerics());

  const std::vector<float> logits = run_prompt(program, weights);

  EXPECT_LE(distance(logits, testing::DoubleForward(weights).logits(kPrompt)), 1e-5);
}

TEST_P(Forward, InBf16AndGgmlStaysNear) {
  const Weights weights = tiny_weights(GetParam().model, "values_" + GetParam().name + ".gguf");
  const auto exact = testing::DoubleForward(weights).logits(kPrompt);

  for (const Numerics& numerics : {testing::bf16_numerics(), testing::ggml_numerics()}) {
    const std::vector<float> logits = run_prompt(small_program(weights, numerics), weights);

    // Quantised activations err by up to 1/254 of their block's largest, of random sign; llama.cpp
    // itself was seen 0.029 away.
    EXPECT_LE(distance(logits, exact), 0.05) << numerics.name;
  }
}

INSTANTIATE_TEST_SUITE_P(Variants, Forward,
                         ::testing::Values(Variant{"tied", {}}, Variant{"untied", {.tied = false}},
                                           Variant{"rope_freqs", {.rope_freqs = true}},
                                           Variant{"qwen2", {.family = "qwen2"}},
                                           Variant{"qwen3", {.family = "qwen3"}},
                                           Variant{"no_gqa", {.n_kv_heads = 4}},
                                           Variant{"fp16", {.matrices = Format::fp16}},
                                           Variant{"bf16", {.matrices = Format::bf16}},
                                           Variant{"q8_0", {.matrices = Format::q8_0}},
                                           Variant{"q4_0", {.matrices = Format::q4_0}},
                                           Variant{"q4_1", {.matrices = Format::q4_1}}),
                         [](const auto& instance) { return instance.param.name; });

TEST(Session, PrefillInChunksEqualsPrefillInOnePiece) {
  const Weights weights = tiny_weights({.matrices = Format::q4_1});
  const Program program = small_program(weights, testing::ggml_numerics(), {.k = 32, .c = 4});
  const std::vector<std::vector<int>> chunks = {{kPrompt.begin(), kPrompt.begin() + 5},
                                                {kPrompt.begin() + 5, kPrompt.begin() + 6},
                                                {kPrompt.begin() + 6, kPrompt.end()}};

  EXPECT_EQ(run_chunks(program, weights, chunks), run_chunks(program, weights, {kPrompt}));
}

TEST(Session, SequencesOfABatchDoNotTouchEachOther) {
  const Weights weights = tiny_weights({});
  const Program program = small_program(weights, testing::fp32_numerics());
  const std::vector<int> other = {1, 2, 3};
  Session session(program, weights);

  const auto bound = bind(program, {{{std::ssize(other), 0}, {std::ssize(kPrompt), 0}}});
  const std::vector<float> both =
      session.run(*bound, std::vector<std::vector<int>>{other, kPrompt});

  std::vector<float> expected = run_chunks(program, weights, {other});
  const std::vector<float> second = run_chunks(program, weights, {kPrompt});
  expected.insert(expected.end(), second.begin(), second.end());
  EXPECT_EQ(both, expected);
}

TEST(Session, ThreadsDoNotChangeABit) {
  const Weights weights = tiny_weights({.matrices = Format::q8_0});
  const Program program = small_program(weights, testing::ggml_numerics());
  const auto with_threads = [&](std::size_t n) {
    const tbb::global_control limit(tbb::global_control::max_allowed_parallelism, n);
    return run_prompt(program, weights);
  };

  EXPECT_EQ(with_threads(1), with_threads(2));
}

TEST(Session, TheTilesChangeTheLowBitsAndNotTheMeaning) {
  const Weights weights = tiny_weights({.d_model = 128, .d_ff = 256});
  const auto run_tiled = [&](testing::SmallTiles tiles) {
    return run_prompt(small_program(weights, testing::fp32_numerics(), tiles), weights);
  };
  const std::vector<float> fine = run_tiled({.k = 32, .c = 4});
  const std::vector<float> coarse = run_tiled({.k = 128, .c = 64});
  const std::vector<float> split = run_tiled({.k = 32, .c = 4, .split_k = 2});

  EXPECT_NE(fine, coarse);
  EXPECT_NE(fine, split);
  const std::vector<double> reference(fine.begin(), fine.end());
  EXPECT_LE(distance(coarse, reference), 1e-5);
  EXPECT_LE(distance(split, reference), 1e-5);
}

TEST(Generate, StopsAtAStopTokenAndTellsTheLead) {
  const Weights weights = tiny_weights({});
  const Program program = small_program(weights, testing::fp32_numerics());
  Session first(program, weights);
  const auto four = generate(program, first, kPrompt, {.max_tokens = 4, .stop_tokens = {}});
  ASSERT_EQ(four->size(), 4U);
  const int second_token = (*four)[1].token;
  Session again(program, weights);
  int calls = 0;

  const auto stopped =
      generate(program, again, kPrompt, {.max_tokens = 4, .stop_tokens = {second_token}},
               [&](const GeneratedToken&) { ++calls; });

  const std::size_t expected = (*four)[0].token == second_token ? 1 : 2;
  EXPECT_EQ(stopped->size(), expected);
  EXPECT_EQ(static_cast<std::size_t>(calls), expected);
  EXPECT_EQ(stopped->back().token, second_token);
}

TEST(Generate, EndsWithTheContext) {
  const Weights weights = tiny_weights({.n_layers = 1});  // a context of 128
  const Program program = small_program(weights, testing::fp32_numerics());
  const std::vector<int> prompt(126, 5);
  Session session(program, weights);

  const auto generated = generate(program, session, prompt, {.max_tokens = 16, .stop_tokens = {}});

  EXPECT_EQ(generated->size(), 3U);  // after 126, 127 and 128 tokens
}

TEST(Generate, JudgesByProbability) {
  // p = 1/2, 1/4, 1/4: a lead of 1/4.
  const std::vector<float> logits = {0.0f, std::log(2.0f), 0.0f};

  const GeneratedToken token = judge(logits, 1);

  EXPECT_NEAR(token.probability, 0.5, 1e-7);
  EXPECT_NEAR(token.gap, 0.25, 1e-7);
}

TEST(Generate, RefusesAnEmptyPromptAndOneLongerThanTheContext) {
  const Weights weights = tiny_weights({});
  const Program program = small_program(weights, testing::fp32_numerics());
  const auto attempt = [&](std::size_t tokens) {
    return refusal<InputError>([&] {
      Session session(program, weights);
      (void)generate(program, session, std::vector<int>(tokens, 1), {});
    });
  };

  EXPECT_TRUE(says(attempt(0), "at least one new token"));
  EXPECT_TRUE(says(attempt(129), "128"));
}

TEST(Session, RefusesWeightsThatDoNotFitTheProgram) {
  const Weights small = tiny_weights({});
  const Weights wide = tiny_weights({.d_model = 128}, "values_wide.gguf");
  const Weights shallow = tiny_weights({.n_layers = 1}, "values_shallow.gguf");
  const Program program = small_program(small, testing::fp32_numerics());
  const auto attempt = [&](const Weights& weights) {
    return refusal<InputError>([&] { Session session(program, weights); });
  };

  EXPECT_TRUE(says(attempt(wide),
                   "'token_embd.weight': expected (288, 64) as in the program, found (288, 128)"));
  EXPECT_TRUE(says(attempt(shallow), "no tensor 'blk.1.attn_norm.weight'"));
}

TEST(Session, RefusesWhatItCannotRun) {
  const Weights weights = tiny_weights({});
  const Program program = small_program(weights, testing::fp32_numerics());
  EXPECT_TRUE(says(refusal<InputError>([&] { run_chunks(program, weights, {{288}}); }),
                   "token 288: expected 0 to 287"));
}

/// The tiny model with the bytes of `tensor` from `offset` on replaced.
Weights changed(const TinyLlama& model, std::string_view tensor, std::size_t offset,
                const std::string& by) {
  std::string bytes = testing::tiny_llama(model);
  const Weights clean = tiny_weights(model);
  const auto data = clean.find(tensor)->data;
  const std::string stored(reinterpret_cast<const char*>(data.data()), data.size());
  bytes.replace(bytes.find(stored) + offset, by.size(), by);
  return Weights::open_gguf(
      testing::write_file(fmt::format("values_changed_{}.gguf", tensor), bytes));
}

TEST(Session, NamesLayerAndOperatorOfANumberThatIsNotFinite) {
  // Numbers around 1 times 3e38, of which some are beyond fp32.
  const std::string scales = testing::encode(Format::fp32, std::vector<float>(64, 3e38f));
  const Weights weights = changed({}, "blk.1.ffn_norm.weight", 0, scales);
  const Program program = small_program(weights, testing::fp32_numerics());

  const std::string message = refusal<InputError>([&] { run_prompt(program, weights); });

  EXPECT_TRUE(says(message, "layer 1, ffn_norm: 'h' has numbers that are not finite"));
}

TEST(Session, NamesTheWeightThatIsNaN) {
  constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
  const Weights plain = changed({}, "blk.1.ffn_norm.weight", 5 * 4, testing::raw(kNaN));
  // A row of 64 is two blocks of 20 bytes, which begin with their scale.
  const std::string half_nan = testing::raw(std::uint16_t{0x7e00});
  const Weights blocks =
      changed({.matrices = Format::q4_1}, "blk.1.ffn_up.weight", 3 * 40 + 20, half_nan);
  const auto attempt = [](const Weights& weights) {
    const Program program = small_program(weights, testing::fp32_numerics());
    return refusal<InputError>([&] { run_prompt(program, weights); });
  };
  EXPECT_TRUE(
      says(attempt(plain), "tensor 'blk.1.ffn_norm.weight', row 0, column 5: the weight is NaN"));
  EXPECT_TRUE(
      says(attempt(blocks), "tensor 'blk.1.ffn_up.weight', row 3, column 32: the scale of"));
}

}  // namespace
}  // namespace presil
