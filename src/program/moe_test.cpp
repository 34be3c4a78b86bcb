#include "program/moe.h"

#include <cmath>
#include <random>
#include <set>

#include <gtest/gtest.h>

namespace presil {
namespace {

Step decode(std::size_t tokens) {
  return {std::vector<Sequence>(tokens, {1, 100})};
}

ExpertLoad load(const Routing& routing, const Step& step) {
  Kernel k;
  k.op = Op::grouped_gemm;
  k.routing = routing;
  return expert_load(k, step);
}

TEST(ExpertLoad, OneTokenTouchesItsOwnExpertsAndManyTouchAll) {
  const Routing mixtral{8, 8, 2};
  EXPECT_DOUBLE_EQ(load(mixtral, decode(1)).touched, 2);
  EXPECT_EQ(load(mixtral, decode(1)).pairs, 2);
  EXPECT_EQ(load(mixtral, decode(1)).rows, 1);
  EXPECT_NEAR(load(mixtral, decode(512)).touched, 8, 1e-9);
  EXPECT_EQ(load(mixtral, decode(512)).rows, 512 * 2 / 8);
}

TEST(ExpertLoad, TouchedIsTheMeanOfDrawnRoutings) {
  constexpr int kExperts = 16, kChosen = 4, kTokens = 5, kTrials = 4000;
  std::mt19937 random(1);
  double sum = 0;
  for (int trial = 0; trial < kTrials; ++trial) {
    std::set<unsigned> touched;
    for (int t = 0; t < kTokens; ++t) {
      std::set<unsigned> chosen;
      while (chosen.size() < kChosen) chosen.insert(random() % kExperts);
      touched.insert(chosen.begin(), chosen.end());
    }
    sum += static_cast<double>(touched.size());
  }
  const ExpertLoad l = load({kExperts, kExperts, kChosen}, decode(kTokens));
  EXPECT_DOUBLE_EQ(l.touched, 16 * (1 - std::pow(0.75, 5)));
  EXPECT_NEAR(l.touched, sum / kTrials, 0.1);  // of a spread of about 1.4 over the root of 4000
}

TEST(ExpertLoad, AChipOfAnExpertGroupHasItsShareAndTheBusiestMore) {
  // 64 tokens of 8 replicas, 8 of 256 experts each: 512 x 8 pairs over 8 chips of 32 experts.
  const ExpertLoad even = load({256, 32, 8, 8}, decode(64));
  EXPECT_EQ(even.pairs, 64 * 8 * 8 / 8);
  EXPECT_NEAR(even.touched, 32 * (1 - std::pow(1 - 8.0 / 256, 512)), 1e-12);
  const ExpertLoad busy = load({256, 32, 8, 8, 1.5}, decode(64));
  EXPECT_EQ(busy.pairs, even.pairs * 3 / 2);
  EXPECT_EQ(busy.touched, even.touched);
}

TEST(ExpertLoad, ProductsOfHeadsTouchEveryHead) {
  // Absorbed latent attention: every token meets all 16 heads.
  const ExpertLoad l = load({16, 16, 16}, decode(3));
  EXPECT_EQ(l.touched, 16);
  EXPECT_EQ(l.pairs, 3 * 16);
  EXPECT_EQ(l.rows, 3);
}

}  // namespace
}  // namespace presil
