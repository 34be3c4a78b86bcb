// Programs split over chips.
#include <algorithm>

#include <gtest/gtest.h>

#include "base/testing/numerics.h"
#include "model/testing/says.h"
#include "model/testing/tiny_llama.h"
#include "values/session.h"
#include "values/testing/distance.h"
#include "values/testing/small_program.h"

namespace presil {
namespace {

using testing::distance;
using testing::refusal;
using testing::says;
using testing::small_program;
using testing::TinyLlama;

const std::vector<int> kPrompt = {104, 101, 7, 200, 33, 104, 0, 31, 255, 12, 64, 64, 9};

/// The logits of all tokens: of kPrompt in one step, then of two more, one by one.
std::vector<float> all_logits(const Weights& weights, const Numerics& numerics,
                              std::int64_t chips) {
  const Program program = small_program(weights, numerics, {.chips = chips});
  Session session(program, weights);
  std::vector<float> result;
  for (const std::vector<int>& tokens : {kPrompt, {17}, {88}}) {
    const auto bound = bind(program, {{{std::ssize(tokens), session.context(0)}}});
    const std::vector<float> logits =
        session.run(*bound, std::vector<std::vector<int>>{tokens}, LogitsOf::all);
    result.insert(result.end(), logits.begin(), logits.end());
  }
  return result;
}

std::vector<std::ptrdiff_t> top_choices(const std::vector<float>& logits) {
  std::vector<std::ptrdiff_t> result;
  for (auto row = logits.begin(); row != logits.end(); row += testing::kTinyVocabulary) {
    result.push_back(std::max_element(row, row + testing::kTinyVocabulary) - row);
  }
  return result;
}

/// Four query heads; two KV heads, so that of four chips two share each.
Weights weights_of(TinyLlama model, const std::string& name) {
  model.d_ff = 128;
  return Weights::open_gguf(testing::write_file(name, testing::tiny_llama(model)));
}

TEST(Parallel, ChipsTogetherComputeWhatOneDoes) {
  for (const char* family : {"llama", "qwen2", "qwen3"}) {
    for (const bool tied : {true, false}) {
      const Weights weights =
          weights_of({.family = family, .tied = tied}, std::string("parallel_") + family + ".gguf");
      const std::vector<float> one = all_logits(weights, testing::fp32_numerics(), 1);
      for (const std::int64_t chips : {2, 4}) {
        const std::vector<float> split = all_logits(weights, testing::fp32_numerics(), chips);

        EXPECT_LE(distance(split, one), 1e-5) << family << " on " << chips;
        EXPECT_EQ(top_choices(split), top_choices(one)) << family << " on " << chips;
        EXPECT_EQ(split, all_logits(weights, testing::fp32_numerics(), chips));
      }
    }
  }
}

TEST(Parallel, TheOrderOfTheSumShowsInTheLowBits) {
  const Weights weights = weights_of({}, "parallel_order.gguf");
  EXPECT_NE(all_logits(weights, testing::fp32_numerics(), 1),
            all_logits(weights, testing::fp32_numerics(), 2));
}

TEST(Parallel, PartialSumsAreRoundedAsTheyAreStored) {
  const Weights weights = weights_of({}, "parallel_bf16.gguf");
  const std::vector<float> one = all_logits(weights, testing::bf16_numerics(), 1);
  const double error = distance(all_logits(weights, testing::bf16_numerics(), 4), one);

  EXPECT_GT(error, 1e-5);  // in fp32 it was less
  EXPECT_LE(error, 0.05);
}

TEST(Parallel, BlocksAreCutWhereTheyEnd) {
  // 128 columns of ffn_down are four blocks of 32, 64 of attn_output are two.
  const Weights weights = weights_of({.matrices = Format::q8_0}, "parallel_q8_0.gguf");
  const std::vector<float> one = all_logits(weights, testing::ggml_numerics(), 1);

  EXPECT_LE(distance(all_logits(weights, testing::ggml_numerics(), 2), one), 0.02);
  const std::string message =
      refusal<InputError>([&] { all_logits(weights, testing::ggml_numerics(), 4); });
  EXPECT_TRUE(says(message,
                   "'blk.0.attn_output.weight': 16 columns on each of 4 chips are not whole blocks "
                   "of q8_0, which are 32"));
}

TEST(Parallel, RefusesKVHeadsThatChipsDoNotShareEvenly) {
  const Weights weights = weights_of({.n_kv_heads = 2}, "parallel_uneven.gguf");
  EXPECT_TRUE(
      says(refusal<InputError>([&] { all_logits(weights, testing::fp32_numerics(), 3); }),
           "has 2 KV heads, which chips share evenly only where their number is a multiple of it"));
}

}  // namespace
}  // namespace presil
