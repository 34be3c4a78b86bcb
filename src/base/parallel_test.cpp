#include "base/parallel.h"

#include <atomic>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace presil {
namespace {

TEST(Parallel, CallsEachOnce) {
  std::vector<int> calls(1000);
  parallel_each(calls.size(), [&](std::size_t i) { ++calls[i]; });
  EXPECT_EQ(calls, std::vector<int>(1000, 1));
}

TEST(Parallel, ThrowsWhatAPlainLoopWouldThrow) {
  for (int run = 0; run < 20; ++run) {
    try {
      parallel_each(100, [](std::size_t i) {
        if (i % 10 == 7) throw std::runtime_error(std::to_string(i));
      });
      FAIL();
    } catch (const std::runtime_error& e) {
      EXPECT_STREQ(e.what(), "7");
    }
  }
}

TEST(Parallel, AFailureBesideItLeavesANestedLoopWhole) {
  for (int run = 0; run < 50; ++run) {
    std::atomic<int> begun = 0, ended = 0;
    EXPECT_THROW(parallel_each(8,
                               [&](std::size_t i) {
                                 if (i == 5) throw std::runtime_error("five");
                                 begun += 64;
                                 parallel_each(64, [&](std::size_t) { ++ended; });
                               }),
                 std::runtime_error);
    EXPECT_EQ(ended, begun);
  }
}

}  // namespace
}  // namespace presil
