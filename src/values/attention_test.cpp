#include "values/attention.h"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

namespace presil {
namespace {

constexpr AttentionHeads kOneHead{.head_dim = 2};

TEST(Attention, EqualScoresAverageTheValuesSeen) {
  const std::vector<float> queries(4, 0.0f);  // two queries after one cached key
  const std::vector<float> keys = {1, 2, 3, 4, 5, 6};
  const std::vector<float> values = {3, 0, 5, 6, 10, 0};
  std::vector<float> out(4);

  attention(kOneHead, queries, keys, values, out);

  EXPECT_EQ(out, (std::vector<float>{4, 3, 6, 2}));  // (3+5)/2, (0+6)/2; 18/3, 6/3
}

TEST(Attention, WeighsByTheExponentOfScaledScores) {
  const std::vector<float> queries = {std::sqrt(2.0f) * std::log(3.0f), 0};
  const std::vector<float> keys = {0, 0, 1, 0};  // scores 0 and ln 3: weights 1/4 and 3/4
  const std::vector<float> values = {4, 8, 8, 0};
  std::vector<float> out(2);

  attention(kOneHead, queries, keys, values, out);

  EXPECT_NEAR(out[0], 7, 1e-5);
  EXPECT_NEAR(out[1], 2, 1e-5);
}

TEST(Attention, TilesAgreeWithTheWhole) {
  std::vector<float> keys, values;
  for (int i = 0; i < 100; ++i) {
    keys.push_back(std::sin(static_cast<float>(i)) * 8);
    values.push_back(std::cos(static_cast<float>(3 * i)));
  }
  const std::vector<float> queries = {2, -1};
  std::vector<float> whole(2), tiled(2);
  AttentionHeads shape = kOneHead;
  attention(shape, queries, keys, values, whole);
  shape.tile = 7;

  attention(shape, queries, keys, values, tiled);

  EXPECT_NEAR(tiled[0], whole[0], 1e-6);
  EXPECT_NEAR(tiled[1], whole[1], 1e-6);
}

TEST(Attention, HeadsShareTheKVHeadOfTheirGroup) {
  // Four query heads, two KV heads of dimension 2, one key: out is the value of head / 2.
  const AttentionHeads shape{.n_heads = 4, .n_kv_heads = 2, .head_dim = 2};
  std::vector<float> out(8);

  attention(shape, std::vector<float>(8, 1.0f), std::vector<float>(4, 1.0f),
            std::vector<float>{1, 2, 3, 4}, out);

  EXPECT_EQ(out, (std::vector<float>{1, 2, 1, 2, 3, 4, 3, 4}));
}

TEST(Attention, AWindowHidesOlderKeys) {
  AttentionHeads shape = kOneHead;
  shape.window = 2;
  shape.tile = 2;
  std::vector<float> out(2);

  attention(shape, std::vector<float>{0, 0}, std::vector<float>(6, 1.0f),
            std::vector<float>{100, 100, 1, 2, 3, 4}, out);

  EXPECT_EQ(out, (std::vector<float>{2, 3}));
}

}  // namespace
}  // namespace presil
