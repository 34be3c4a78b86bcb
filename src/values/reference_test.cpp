// Tokens against llama.cpp's, stored in test/reference/smollm2_greedy.json.
#include <algorithm>
#include <fstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/testing/numerics.h"
#include "model/testing/smollm2.h"
#include "values/generate.h"
#include "values/testing/small_program.h"

// Minutes under the sanitizer, which the tiny models of session_test serve.
#ifndef __SANITIZE_ADDRESS__

namespace presil {
namespace {

/// The steps before the reference's lead over its second choice is too small to bind another
/// build: all of them for the shipped prompts.
std::int64_t decided_steps(const nlohmann::json& prompt) {
  const auto gaps = prompt["gaps"].get<std::vector<double>>();
  return std::find_if(gaps.begin(), gaps.end(), [](double gap) { return gap <= 0.05; }) -
         gaps.begin();
}

TEST(Reference, GreedyTokensOfSmolLM2EqualLlamaCpps) {
  const auto file = testing::smollm2_file();
  if (!file) GTEST_SKIP() << testing::kNoSmolLm2;
  std::ifstream stored(PRESIL_SOURCE_DIR "/test/reference/smollm2_greedy.json");
  const nlohmann::json reference = nlohmann::json::parse(stored);
  const Weights weights = Weights::open_gguf(*file);
  const Program program =
      testing::small_program(weights, testing::ggml_numerics(), {.k = 192, .c = 16});

  for (const nlohmann::json& prompt : reference["prompts"]) {
    SCOPED_TRACE(prompt["name"].get<std::string>());
    Session session(program, weights);
    const auto prompt_tokens = prompt["prompt_tokens"].get<std::vector<int>>();
    const auto expected = prompt["tokens"].get<std::vector<int>>();
    const std::int64_t decided = decided_steps(prompt);

    const auto generated =
        generate(program, session, prompt_tokens, {.max_tokens = decided, .stop_tokens = {}});

    ASSERT_TRUE(generated);
    ASSERT_EQ(std::ssize(*generated), decided);
    double worst = 0;
    for (std::size_t i = 0; i < generated->size(); ++i) {
      EXPECT_EQ((*generated)[i].token, expected[i]) << "step " << i;
      worst = std::max(
          worst, std::abs((*generated)[i].probability - prompt["probabilities"][i].get<double>()));
    }
    // llama.cpp's own CPU builds were seen 0.1 apart on quantised weights.
    EXPECT_LE(worst, 0.1);
  }
}

}  // namespace
}  // namespace presil

#endif
