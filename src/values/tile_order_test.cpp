// A tile order changed by hand, on a real model.
#include <algorithm>
#include <fstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/testing/numerics.h"
#include "model/testing/smollm2.h"
#include "values/session.h"
#include "values/testing/small_program.h"

// Minutes under the sanitizer, which the tiny models of session_test serve.
#ifndef __SANITIZE_ADDRESS__

namespace presil {
namespace {

using Tokens = std::vector<int>;

/// The logits of all tokens, in steps of 64.
std::vector<float> logits_of(const Weights& weights, const Tokens& tokens,
                             testing::SmallTiles tiles) {
  const Program program = testing::small_program(weights, testing::bf16_numerics(), tiles);
  Session session(program, weights);
  std::vector<float> result;
  for (auto at = tokens.begin(); at != tokens.end();) {
    const auto count = std::min<std::ptrdiff_t>(64, tokens.end() - at);
    const auto bound = bind(program, {{{count, session.context(0)}}});
    const auto logits = session.run(*bound, std::vector<Tokens>{{at, at + count}}, LogitsOf::all);
    result.insert(result.end(), logits.begin(), logits.end());
    at += count;
  }
  return result;
}

TEST(TileOrder, ChangesTheLowBitsAndNotTheMeaning) {
  const auto file = testing::smollm2_file();
  if (!file) GTEST_SKIP() << testing::kNoSmolLm2;
  std::ifstream stored(PRESIL_SOURCE_DIR "/test/reference/smollm2_greedy.json");
  const nlohmann::json reference = nlohmann::json::parse(stored);
  const Weights weights = Weights::open_gguf(*file);

  std::ptrdiff_t equal = 0, all = 0;
  bool bits_differ = false;
  for (const nlohmann::json& prompt : reference["prompts"]) {
    auto tokens = prompt["prompt_tokens"].get<Tokens>();
    const auto continued = prompt["tokens"].get<Tokens>();
    tokens.insert(tokens.end(), continued.begin(), continued.end());
    const auto one = logits_of(weights, tokens, {.k = 192, .c = 16});
    const auto other = logits_of(weights, tokens, {.k = 64, .c = 32, .split_k = 3});
    bits_differ = bits_differ || one != other;
    const auto width = weights.architecture().vocab_size;
    for (std::ptrdiff_t at = 0; at < std::ssize(one); at += width, ++all) {
      const auto choice = [&](const std::vector<float>& logits) {
        return std::max_element(logits.begin() + at, logits.begin() + at + width) -
               (logits.begin() + at);
      };
      equal += choice(one) == choice(other) ? 1 : 0;
    }
  }

  EXPECT_TRUE(bits_differ);
  EXPECT_GT(static_cast<double>(equal), 0.99 * static_cast<double>(all)) << equal << " of " << all;
}

}  // namespace
}  // namespace presil

#endif
