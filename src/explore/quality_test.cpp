#include "explore/quality.h"

#include <fstream>

#include <gtest/gtest.h>

#include "base/testing/numerics.h"
#include "model/testing/says.h"
#include "model/testing/tiny_llama.h"
#include "values/testing/small_program.h"

namespace presil {
namespace {

using testing::refusal;
using testing::says;

const std::filesystem::path kHome = PRESIL_SOURCE_DIR;

Weights tiny() {
  return Weights::open_gguf(testing::write_file("quality_tiny.gguf", testing::tiny_llama()));
}

/// More than one chunk.
std::vector<int> text() {
  std::vector<int> tokens;
  for (int i = 0; i < 100; ++i) tokens.push_back((i * 37 + 11) % 256);
  return tokens;
}

TEST(Quality, OfAProgramComparedWithItselfIsPerfect) {
  const Weights weights = tiny();
  const Program program = testing::small_program(weights, testing::bf16_numerics());

  const Quality q = compare_on(program, program, weights, text(), true, kHome).value();

  EXPECT_EQ(q.tokens, 100);
  EXPECT_EQ(q.comparison.positions, 100);
  EXPECT_EQ(q.comparison.predicted, 99);
  EXPECT_EQ(q.comparison.mean_kl, 0);
  EXPECT_EQ(q.comparison.top1_agreement, 1);
  EXPECT_FALSE(q.comparison.first_difference);
  ASSERT_EQ(q.layers.size(), 2u);
  for (const LayerError& e : q.layers) EXPECT_EQ(e.relative, 0) << e.layer;
}

TEST(Quality, OfALowerPrecisionShowsInTheAnswersAndInEveryLayer) {
  const Weights weights = tiny();
  const Program candidate = testing::small_program(weights, testing::bf16_numerics());
  const Program reference = testing::small_program(weights, testing::fp32_numerics());

  const Quality q = compare_on(candidate, reference, weights, text(), true, kHome).value();

  EXPECT_GT(q.comparison.mean_kl, 0);
  EXPECT_LT(q.comparison.mean_kl, 0.01);
  for (const LayerError& e : q.layers) {
    EXPECT_GT(e.relative, 0x1p-12) << e.layer;  // half an ulp of bf16 is 2^-9, or less
    EXPECT_LT(e.relative, 0x1p-4) << e.layer;
  }
}

TEST(Quality, AChunkGivesWhatTokenAfterTokenGives) {
  const Weights weights = tiny();
  const Program program = testing::small_program(weights, testing::fp32_numerics());
  const std::vector<int> tokens = text();
  const Calibration none;
  Reading whole(program, weights, none);
  Reading single(program, weights, none);

  const std::vector<float> logits = whole.next(std::span(tokens).first(9)).value();

  std::vector<float> one_by_one;
  for (std::size_t i = 0; i < 9; ++i) {
    const auto row = single.next(std::span(tokens).subspan(i, 1)).value();
    one_by_one.insert(one_by_one.end(), row.begin(), row.end());
  }
  EXPECT_EQ(logits, one_by_one);
}

TEST(Quality, ATextIsCutToTheTokensAskedForAndToTheContext) {
  const Tokenizer tokenizer(tiny().vocabulary());
  const auto path = testing::write_file("quality.txt", std::string(300, 'x'));
  EXPECT_EQ(read_tokens(tokenizer, path, 0, 128).size(), 128u);
  EXPECT_EQ(read_tokens(tokenizer, path, 10, 128).size(), 10u);
  EXPECT_EQ(read_tokens(tokenizer, path, 0, 1000).size(), 300u);
}

TEST(Quality, ATextThatCannotBeReadIsRefused) {
  const Tokenizer tokenizer(tiny().vocabulary());
  const auto read = [&](const char* name, const std::string& bytes) {
    const auto path = testing::write_file(name, bytes);
    return refusal<InputError>([&] { read_tokens(tokenizer, path, 0, 128); });
  };
  EXPECT_TRUE(says(read("quality_empty.txt", ""), "two tokens or more, found 0"));
  EXPECT_TRUE(says(read("quality_latin.txt", "caf\xe9 noir"), "found byte 0xe9 as its number 4"));
  EXPECT_THROW(read_tokens(tokenizer, "none.txt", 0, 128), MissingInput);
}

}  // namespace
}  // namespace presil
