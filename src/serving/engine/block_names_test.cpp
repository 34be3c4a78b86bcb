#include "serving/engine/block_names.h"

#include <gtest/gtest.h>

namespace presil::serving {
namespace {

std::vector<std::uint64_t> names_of(std::vector<std::uint64_t> prefix, std::int64_t prefix_block,
                                    std::int64_t prompt, std::int64_t block_size) {
  Request request;
  request.prompt_tokens = prompt;
  request.prefix = std::move(prefix);
  request.prefix_block = prefix_block;
  std::vector<std::uint64_t> names{99};
  name_blocks(request, block_size, names);
  return names;
}

std::size_t equal(const std::vector<std::uint64_t>& a, const std::vector<std::uint64_t>& b) {
  std::size_t count = 0;
  while (count < std::min(a.size(), b.size()) && a[count] == b[count]) ++count;
  return count;
}

TEST(BlockNames, ABlockIsNamedByAllTextUpToItsEnd) {
  const auto a = names_of({1, 2, 3}, 512, 1536, 512);
  const auto b = names_of({1, 9, 3}, 512, 1536, 512);
  ASSERT_EQ(a.size(), 3u);
  EXPECT_EQ(equal(a, b), 1u);
  EXPECT_NE(a[2], b[2]);  // the same third piece after another second one
}

TEST(BlockNames, ALargePieceIsManyBlocks) {
  const auto a = names_of({1, 2}, 512, 1000, 16);
  EXPECT_EQ(a.size(), 62u);  // 1000 / 16: the last block is not whole
  EXPECT_EQ(equal(a, names_of({1, 5}, 512, 1000, 16)), 32u);
}

TEST(BlockNames, ALargeBlockIsSharedWhenAllItsPiecesAre) {
  // Blocks of 24 end at 24 and 48, so the first covers pieces 0 to 2, the second 3 to 5.
  const auto a = names_of({1, 2, 3, 4, 5, 6}, 10, 60, 24);
  EXPECT_EQ(a.size(), 2u);
  EXPECT_EQ(equal(a, names_of({1, 2, 7, 4, 5, 6}, 10, 60, 24)), 0u);
  EXPECT_EQ(equal(a, names_of({1, 2, 3, 4, 7, 6}, 10, 60, 24)), 1u);
}

TEST(BlockNames, TextThatNobodyNamedHasNoName) {
  EXPECT_TRUE(names_of({}, 512, 1000, 16).empty());
  EXPECT_TRUE(names_of({1}, 0, 1000, 16).empty());
  EXPECT_EQ(names_of({1, 2}, 16, 1000, 16).size(), 2u);
}

}  // namespace
}  // namespace presil::serving
