#include "values/compare.h"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

namespace presil {
namespace {

TEST(Compare, EqualLogitsHaveNoDivergenceAtAll) {
  const std::vector<float> logits = {0.3f, -7.25f, 11.125f, 0.1f};
  Comparer comparer;
  comparer.add(logits, logits, 2);
  comparer.add(logits, logits, -1);

  const Comparison c = comparer.result();

  EXPECT_EQ(c.positions, 2);
  EXPECT_EQ(c.mean_kl, 0);
  EXPECT_EQ(c.max_kl, 0);
  EXPECT_EQ(c.top1_agreement, 1);
  EXPECT_EQ(c.perplexity, c.reference_perplexity);
  EXPECT_FALSE(c.first_difference);
}

TEST(Compare, DivergenceIsOfTheReferenceFromTheCandidate) {
  // Reference (3/4, 1/4), candidate (1/2, 1/2).
  const std::vector<float> reference = {std::log(3.0f), 0};
  const std::vector<float> even = {5, 5};
  Comparer comparer;
  comparer.add(reference, reference, -1);
  comparer.add(even, reference, -1);

  const Comparison c = comparer.result();

  const double kl = 0.75 * std::log(0.75 / 0.5) + 0.25 * std::log(0.25 / 0.5);
  EXPECT_NEAR(c.max_kl, kl, 1e-7);  // ln 3 as a float
  EXPECT_NEAR(c.mean_kl, kl / 2, 1e-7);
  EXPECT_EQ(c.max_kl_position, 2);
}

TEST(Compare, PerplexityIsTheGeometricMeanOfInverseProbabilities) {
  // The text's tokens have probabilities 1/2 and 1/8: sqrt(2 * 8) = 4. The reference gives 1/2
  // and 1/2.
  const std::vector<float> half = {0, 0};
  const std::vector<float> eighth = {std::log(7.0f), 0};
  Comparer comparer;
  comparer.add(half, half, 0);
  comparer.add(eighth, half, 1);
  comparer.add(eighth, half, -1);  // the last token predicts nothing that is known

  const Comparison c = comparer.result();

  EXPECT_EQ(c.predicted, 2);
  EXPECT_NEAR(c.perplexity, 4, 1e-6);
  EXPECT_NEAR(c.reference_perplexity, 2, 1e-12);
}

TEST(Compare, TheFirstDifferenceIsWhereTheChoicesPart) {
  const std::vector<float> a = {2, 1, 0}, b = {1, 2, 0}, c = {0, 1, 2};
  Comparer comparer;
  comparer.add(a, a, 0);
  comparer.add(a, b, 1);
  comparer.add(c, b, 2);
  comparer.add(c, c, -1);

  const Comparison r = comparer.result();

  EXPECT_EQ(r.top1_agreement, 0.5);
  ASSERT_TRUE(r.first_difference);
  EXPECT_EQ(*r.first_difference, (FirstDifference{2, 0, 1}));
}

}  // namespace
}  // namespace presil
