// What nature demands of accumulators, seen in the answers of a real model: a wider one is never
// worse than a narrower one by more than noise.
//
// Noise: the operands' own rounding moves every answer, and another accumulator deals those
// roundings anew, so of two that are equally good either may come out ahead. On the text of this
// test the mean KL of six FP8 sets that differ in nothing that matters (10 to 18 bits and fp32, and
// fp32 in an order that changed one rounding) had a standard deviation of 7 %, and a difference of
// two such means has 10 %. Three of those are allowed.
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "explore/run.h"
#include "values/testing/named_sets.h"
#include "values/testing/small_program.h"

// Minutes under the sanitizer, which the sums of values/product/accumulator_law_test serve.
#ifndef __SANITIZE_ADDRESS__

namespace presil {
namespace {

constexpr double kNoise = 0.3;  // of the mean KL

class AccumulatorOfAModel : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* cache = std::getenv("PRESIL_MODEL_CACHE");
    places_ = {PRESIL_SOURCE_DIR, cache != nullptr ? cache : "."};
    const auto file = places_.cache / "smollm2-135m.gguf";
    if (!std::filesystem::exists(file)) GTEST_SKIP() << "no model at " << file;
    weights_ = Weights::open_gguf(file);
    tokens_ =
        read_tokens(tokenizer_of(*weights_), places_.home / "data" / "quality.txt", kChunk, 8192);
    reference_ = logits_of(testing::fp32_numerics());
  }

  /// After each token of the text, on a chip that holds the k axis in one tile.
  std::vector<float> logits_of(const Numerics& numerics) {
    const Program program = testing::small_program(*weights_, numerics, {.k = 1536});
    const Calibration none;
    return Reading(program, *weights_, none).next(tokens_).value();
  }

  /// Mean KL against fp32.
  double kl_of(const Numerics& numerics) {
    const std::vector<float> logits = logits_of(numerics);
    Comparer comparer;
    add_chunk(comparer, logits, reference_, {}, tokens_.size());
    return comparer.result().mean_kl;
  }

  /// With aligned accumulators of more and more bits, and fp32 at the end.
  std::vector<double> kls_by_width(Numerics set) {
    std::vector<double> kls;
    for (const std::int64_t bits : {8, 10, 12, 14, 18}) {
      set.products.accumulator.bits = bits;
      kls.push_back(kl_of(set));
    }
    set.products.accumulator = {.group = 32, .order = Accumulator::Order::tree};
    kls.push_back(kl_of(set));
    return kls;
  }

 private:
  Places places_;
  std::optional<Weights> weights_;
  std::vector<int> tokens_;
  std::vector<float> reference_;
};

void expect_never_worse(const std::vector<double>& kls) {
  for (std::size_t i = 1; i < kls.size(); ++i) {
    EXPECT_LE(kls[i], (1 + kNoise) * kls[i - 1]) << "after " << i << " widenings";
  }
}

TEST_F(AccumulatorOfAModel, EveryBitHelpsFineOperands) {
  Numerics set = testing::set_of("fp8-hopper");
  set.products.weights = set.products.activations = Operand{Format::bf16};

  const std::vector<double> kls = kls_by_width(set);

  expect_never_worse(kls);
  EXPECT_GT(kls[0], 10 * kls[3]) << "eight bits hurt far more than fourteen";
}

TEST_F(AccumulatorOfAModel, NoBitHarmsCoarseOperands) {
  const std::vector<double> kls = kls_by_width(testing::set_of("fp8-hopper"));

  expect_never_worse(kls);
}

TEST_F(AccumulatorOfAModel, PromotionHelpsNarrowSums) {
  Numerics set = testing::set_of("fp8-hopper");
  // One scale for a whole row, so that nothing else ends a segment.
  set.products.weights->scaling = Scaling::channel;
  set.products.activations->scaling = Scaling::token;
  const auto kl_with = [&](std::int64_t bits, std::int64_t promote_every) {
    set.products.accumulator.bits = bits;
    set.products.accumulator.promote_every = promote_every;
    return kl_of(set);
  };

  EXPECT_LT(kl_with(8, 128), kl_with(8, 0) / 2);
  EXPECT_LE(kl_with(14, 128), (1 + kNoise) * kl_with(14, 0));
}

TEST_F(AccumulatorOfAModel, Fp32ComparedWithItselfIsExactlyZero) {
  EXPECT_EQ(kl_of(testing::fp32_numerics()), 0);
}

}  // namespace
}  // namespace presil

#endif
