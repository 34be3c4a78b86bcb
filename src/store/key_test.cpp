#include "store/key.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace presil {
namespace {

TEST(ContentKey, DoesNotDependOnTheOrderOfKeysOrOnWhiteSpace) {
  EXPECT_EQ(content_key(R"({"chip": "a", "tp": 2})", "1.0", 7),
            content_key(R"({"tp":2,"chip":"a"})", "1.0", 7));
}

TEST(ContentKey, DependsOnEveryPart) {
  const std::string key = content_key(R"({"tp":2})", "1.0", 7);

  EXPECT_EQ(key.size(), 64u);
  EXPECT_NE(key, content_key(R"({"tp":4})", "1.0", 7));
  EXPECT_NE(key, content_key(R"({"tp":2})", "1.1", 7));
  EXPECT_NE(key, content_key(R"({"tp":2})", "1.0", 8));
  EXPECT_NE(content_key("[]", "1", 11), content_key("[]", "11", 1));
}

TEST(ContentKey, OfSomethingThatIsNotJsonIsABrokenPromise) {
  EXPECT_THROW(content_key("{", "1.0", 0), InternalError);
}

}  // namespace
}  // namespace presil
