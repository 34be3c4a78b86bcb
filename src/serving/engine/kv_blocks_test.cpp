#include "serving/engine/kv_blocks.h"

#include <gtest/gtest.h>

#include "base/draws.h"
#include "serving/engine/testing/plain_engine.h"
#include "serving/load/trace.h"

namespace presil::serving {
namespace {

using Names = std::vector<std::uint64_t>;

/// A sequence that holds the kept blocks of `names` and computes the others.
HeldBlocks hold(KvBlocks& blocks, const Names& names) {
  HeldBlocks held;
  const auto hits = static_cast<std::size_t>(blocks.cached(names));
  const std::int64_t more = std::ssize(names) - static_cast<std::int64_t>(hits);
  EXPECT_TRUE(blocks.admit(held, std::span(names).first(hits), more));
  for (std::size_t i = hits; i < names.size(); ++i) blocks.name(held, names[i]);
  return held;
}

TEST(KvBlocks, AFreeBlockKeepsItsText) {
  KvBlocks blocks(4);
  HeldBlocks first = hold(blocks, {1, 2, 3});
  blocks.release(first);
  EXPECT_EQ(blocks.free(), 4);
  EXPECT_EQ(blocks.cached(Names{1, 2, 3}), 3);

  const HeldBlocks second = hold(blocks, {1, 2});
  EXPECT_EQ(blocks.used(), 2);
  const HeldBlocks third = hold(blocks, {1, 2});
  EXPECT_EQ(blocks.used(), 2);  // both hold the same two
}

TEST(KvBlocks, TheTailOfAPromptIsForgottenFirst) {
  KvBlocks blocks(4);
  HeldBlocks first = hold(blocks, {1, 2, 3});
  blocks.release(first);  // the queue: the block never used, then 3, 2, 1
  HeldBlocks other;
  ASSERT_TRUE(blocks.grow(other, 2));
  EXPECT_EQ(blocks.cached(Names{1, 2, 3}), 2);
  ASSERT_TRUE(blocks.grow(other, 1));
  EXPECT_EQ(blocks.cached(Names{1, 2, 3}), 1);
}

TEST(KvBlocks, WhatWasUsedLastIsForgottenLast) {
  KvBlocks blocks(3);
  HeldBlocks first = hold(blocks, {1});
  HeldBlocks second = hold(blocks, {2});
  blocks.release(first);
  blocks.release(second);
  first = hold(blocks, {1});  // asked for again: back to the end of the queue
  blocks.release(first);
  HeldBlocks other;
  ASSERT_TRUE(blocks.grow(other, 2));  // the block never used, and that of 2
  EXPECT_EQ(blocks.cached(Names{1}), 1);
  EXPECT_EQ(blocks.cached(Names{2}), 0);
}

TEST(KvBlocks, WhatDoesNotFitChangesNothing) {
  KvBlocks blocks(3);
  HeldBlocks first = hold(blocks, {1, 2});
  blocks.release(first);
  HeldBlocks other;
  // Two kept blocks are free ones as well, so only one is left for new text.
  EXPECT_FALSE(blocks.admit(other, Names{1, 2}, 2));
  EXPECT_FALSE(blocks.grow(other, 4));
  EXPECT_EQ(other.count(), 0);
  EXPECT_EQ(blocks.free(), 3);
  EXPECT_TRUE(blocks.admit(other, Names{1, 2}, 1));
  EXPECT_EQ(blocks.free(), 0);
}

TEST(KvBlocks, ATextKeptTwiceIsForgottenTwice) {
  KvBlocks blocks(2);
  HeldBlocks first, second;
  ASSERT_TRUE(blocks.grow(first, 1) && blocks.grow(second, 1));
  blocks.name(first, 7);
  blocks.name(second, 7);
  blocks.release(first);
  HeldBlocks other;
  ASSERT_TRUE(blocks.grow(other, 1));
  EXPECT_EQ(blocks.cached(Names{7}), 1);
  blocks.release(second);
  ASSERT_TRUE(blocks.grow(other, 1));
  EXPECT_EQ(blocks.cached(Names{7}), 0);
}

TEST(KvBlocks, CountedBlocksAreForgottenAsNumberedOnes) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    Draws draws(seed, 0, 0);
    const std::int64_t capacity = 1 + static_cast<std::int64_t>(draws.below(40));
    KvBlocks blocks(capacity);
    testing::PlainBlocks plain(capacity);
    std::vector<std::pair<HeldBlocks, std::vector<int>>> sequences;
    const auto text = [&](std::uint64_t which) {
      Names names;
      for (std::uint64_t i = 0; i < 8; ++i) names.push_back((i < which ? 0 : which) * 10 + i);
      return names;
    };
    for (int i = 0; i < 300; ++i) {
      const std::uint64_t act = draws.below(4);
      if (act == 0 || sequences.empty()) {
        Names names = text(draws.below(4));
        names.resize(draws.below(9));
        const auto hits = static_cast<std::size_t>(blocks.cached(names));
        const auto more = std::ssize(names) - static_cast<std::int64_t>(hits) +
                          static_cast<std::int64_t>(draws.below(4));
        const Names kept(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(hits));
        auto& [held, plain_held] = sequences.emplace_back();
        const bool fits = blocks.admit(held, kept, more);
        ASSERT_EQ(fits, plain.admit(plain_held, kept, more));
        for (std::size_t k = hits; fits && k < names.size(); ++k) {
          blocks.name(held, names[k]);
          plain.name(plain_held[k], names[k]);
        }
        if (!fits) sequences.pop_back();
      } else {
        const std::size_t which = draws.below(sequences.size());
        auto& [held, plain_held] = sequences[which];
        if (act == 1) {
          const auto more = static_cast<std::int64_t>(draws.below(6));
          ASSERT_EQ(blocks.grow(held, more), plain.grow(plain_held, more));
        } else {
          blocks.release(held);
          plain.release(plain_held);
          sequences.erase(sequences.begin() + static_cast<std::ptrdiff_t>(which));
        }
      }
      ASSERT_EQ(blocks.free(), plain.free());
      for (std::uint64_t t = 0; t < 4; ++t) {
        ASSERT_EQ(blocks.cached(text(t)), plain.cached(text(t))) << "seed " << seed;
      }
    }
  }
}

/// The share of blocks that a cache which forgets nothing has, fed in the order of the file.
double hits_of(const std::string& trace) {
  const TraceFile file = find_trace(trace, PRESIL_SOURCE_DIR);
  Trace rows(file.path, file.name);
  KvBlocks blocks(1'000'000);
  std::int64_t hits = 0, all = 0;
  TraceRow row;
  while (rows.next(row)) {
    hits += blocks.cached(row.prefix);
    all += std::ssize(row.prefix);
    HeldBlocks held = hold(blocks, row.prefix);
    blocks.release(held);
  }
  return 100.0 * static_cast<double>(hits) / static_cast<double>(all);
}

TEST(KvBlocks, AnEndlessCacheHasTheKnownHitsOfTheMooncakeTraces) {
  EXPECT_NEAR(hits_of("mooncake_conversation"), 36.6, 0.05);
  EXPECT_NEAR(hits_of("mooncake_synthetic"), 64.0, 0.05);
}

}  // namespace
}  // namespace presil::serving
