#include "explore/padded_costs.h"

#include <gtest/gtest.h>

namespace presil {
namespace {

TEST(PaddedCosts, SizesGrowToTheNextOfFewAndByLittle) {
  EXPECT_EQ(padded_tokens(1), 1);
  EXPECT_EQ(padded_tokens(65), 128);
  EXPECT_EQ(padded_tokens(129), 160);  // eighths of 256
  EXPECT_EQ(padded_tokens(2048), 2048);
  EXPECT_EQ(padded_context(0), 0);
  EXPECT_EQ(padded_context(1), 64);
  EXPECT_EQ(padded_context(65), 96);
  EXPECT_EQ(padded_context(1025), 1536);
  EXPECT_EQ(padded_context(1537), 2048);
  for (std::int64_t n = 1; n < 10000; ++n) {
    EXPECT_GE(padded_tokens(n), n);
    EXPECT_GE(padded_context(n), n);
    EXPECT_EQ(padded_tokens(padded_tokens(n)), padded_tokens(n));
    EXPECT_EQ(padded_context(padded_context(n)), padded_context(n));
    EXPECT_LE(padded_tokens(n), n > 128 ? n * 5 / 4 : 2 * n);
    EXPECT_LE(padded_context(n), n > 64 ? n * 3 / 2 : 64);
  }
}

}  // namespace
}  // namespace presil
