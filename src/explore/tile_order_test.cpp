// A tile order changed by hand, in the text of a real model's program.
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "explore/prepare.h"
#include "explore/run.h"
#include "program/text.h"

// Minutes under the sanitizer, which the tiny models of session_test serve.
#ifndef __SANITIZE_ADDRESS__

namespace presil {
namespace {

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (auto at = text.find(from); at != text.npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

TEST(TileOrder, ChangesTheLowBitsAndNotTheMeaning) {
  const char* cache = std::getenv("PRESIL_MODEL_CACHE");
  const Places places{PRESIL_SOURCE_DIR, cache != nullptr ? cache : "."};
  if (!std::filesystem::exists(places.cache / "smollm2-135m.gguf")) {
    GTEST_SKIP() << "no model in " << places.cache;
  }
  std::optional<Weights> weights;
  RunRequest request;
  request.chip = "artemis-hbm3e";
  request.model = "smollm2-135m";
  request.mode = Mode::values;
  request.numerics = "bf16";
  const Program compiled = prepare(request, places, weights).value().program;
  std::string text = print(compiled);
  replace_all(text, "k/64 time", "k/32 time");
  replace_all(text, ", split k by 4", ", split k by 3");
  const Program edited = parse_program(std::make_shared<Source>(Source{"by_hand.txt", text}));
  ASSERT_NE(print(edited), print(compiled));
  const auto tokens = read_tokens(tokenizer_of(*weights), places.home / "data" / "quality.txt", 256,
                                  compiled.max_context);

  const Comparison c =
      compare_on(edited, compiled, *weights, tokens, false, places.home).value().comparison;

  EXPECT_EQ(c.positions, 256);
  EXPECT_GT(c.mean_kl, 0) << "not a bit differs";
  EXPECT_GT(c.top1_agreement, 0.99);
}

}  // namespace
}  // namespace presil

#endif
