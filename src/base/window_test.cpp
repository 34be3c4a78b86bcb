#include "base/window.h"

#include <gtest/gtest.h>

namespace presil {
namespace {

TEST(Window, CountsThePairsThatItsFirstKeysLeave) {
  for (const Window w : {Window{}, Window{5}, Window{5, true}, Window{1}, Window{64, true}}) {
    std::int64_t pairs = 0;
    for (std::int64_t query = 0; query < 40; ++query) {
      EXPECT_EQ(pairs_seen(w, query), pairs) << w.keys << w.chunked;
      pairs += query + 1 - first_key_seen(w, query);
    }
  }
}

TEST(Window, AChunkStartsAnewASlidingWindowMovesOn) {
  EXPECT_EQ(first_key_seen({4}, 9), 6);        // keys 6, 7, 8, 9
  EXPECT_EQ(first_key_seen({4, true}, 9), 8);  // the chunk 8 to 11
  EXPECT_EQ(first_key_seen({4, true}, 8), 8);
  EXPECT_EQ(first_key_seen({}, 9), 0);
}

TEST(Window, BothWaysEveryQuerySeesEveryKey) {
  EXPECT_EQ(pairs_seen({0, false, true}, 1500), 1500 * 1500);
  EXPECT_EQ(first_key_seen({0, false, true}, 9), 0);
}

}  // namespace
}  // namespace presil
