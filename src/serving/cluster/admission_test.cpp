#include "serving/cluster/admission.h"

#include <gtest/gtest.h>

namespace presil::serving {
namespace {

constexpr Nanoseconds s(std::int64_t n) {
  return Nanoseconds(n * 1'000'000'000);
}

Request request(std::int64_t id, std::int64_t prompt_tokens = 100) {
  Request one;
  one.id = id;
  one.prompt_tokens = prompt_tokens;
  return one;
}

ServiceLoad load(std::int64_t waiting, std::int64_t outstanding = 0, double tokens_per_s = 0) {
  return {.replicas = 2,
          .waiting = waiting,
          .outstanding_tokens = outstanding,
          .tokens_per_s = tokens_per_s};
}

TEST(TokenBucket, FillsAtItsRateUpToItsBurst) {
  TokenBucket bucket({PerSecond(100), 300});

  EXPECT_TRUE(bucket.has(300, s(0)));
  bucket.take(300, s(0));
  EXPECT_FALSE(bucket.has(150, s(1)));
  EXPECT_EQ(bucket.ready(150, s(1)), Nanoseconds(1'500'000'000));
  EXPECT_TRUE(bucket.has(150, Nanoseconds(1'500'000'000)));
  EXPECT_TRUE(bucket.has(300, s(100)));
  EXPECT_TRUE(bucket.has(1'000'000, s(100)));  // longer than the bucket: all of it
}

TEST(TokenBucket, IsReadyWhenItSaysSo) {
  TokenBucket bucket({PerSecond(333.3), 1000});
  Nanoseconds now{0};
  for (int i = 0; i < 1000; ++i) {
    const std::int64_t tokens = 1 + i * 37 % 900;
    now = bucket.ready(tokens, now);
    ASSERT_TRUE(bucket.has(tokens, now)) << i;
    bucket.take(tokens, now);
  }
}

TEST(Gate, CountsWaitingRequestsToAReplica) {
  Gate gate({.max_queue = 3});
  EXPECT_TRUE(gate.admit(request(0), 0, s(0), load(5)));
  EXPECT_FALSE(gate.admit(request(1), 0, s(0), load(6)));  // three to each of two
}

TEST(Gate, EstimatesTheWaitFromWhatIsOutstanding) {
  Gate gate({.max_wait = s(2)});
  EXPECT_TRUE(gate.admit(request(0), 0, s(0), load(0, 1'000'000)));  // nothing measured yet
  EXPECT_TRUE(gate.admit(request(1), 0, s(0), load(0, 20'000, 10'000)));
  EXPECT_FALSE(gate.admit(request(2), 0, s(0), load(0, 20'001, 10'000)));
}

TEST(Gate, WithoutAHoldTurnsAwayAtOnce) {
  Gate gate({.max_queue = 1});
  EXPECT_FALSE(gate.hold(request(0), 0, s(0)));
  EXPECT_EQ(gate.next_event(s(0)), kLongestService);
}

TEST(Gate, LetsInByPriorityThenByArrival) {
  Gate gate({.max_queue = 1, .hold = s(10)});
  gate.hold(request(0), 1, s(0));
  gate.hold(request(1), 2, s(1));
  gate.hold(request(2), 2, s(2));

  EXPECT_FALSE(gate.let_in(s(3), load(2)).has_value());
  EXPECT_FALSE(gate.admit(request(3), 2, s(3), load(0)));  // not past those who wait
  EXPECT_TRUE(gate.admit(request(4), 3, s(3), load(0)));   // but by a higher priority
  EXPECT_EQ(gate.let_in(s(3), load(0))->id, 1);
  EXPECT_EQ(gate.let_in(s(3), load(0))->id, 2);
  EXPECT_EQ(gate.let_in(s(3), load(0))->id, 0);
  EXPECT_FALSE(gate.let_in(s(3), load(0)).has_value());
  EXPECT_EQ(gate.held(), 0);
}

TEST(Gate, GivesUpAfterTheHold) {
  Gate gate({.max_queue = 1, .hold = s(10)});
  gate.hold(request(0), 5, s(1));
  gate.hold(request(1), 0, s(0));

  EXPECT_EQ(gate.next_event(s(2)), s(10));
  EXPECT_FALSE(gate.give_up(Nanoseconds(s(10).count() - 1)).has_value());
  EXPECT_EQ(gate.give_up(s(10))->id, 1);
  EXPECT_FALSE(gate.give_up(s(10)).has_value());
  EXPECT_EQ(gate.give_up(s(11))->id, 0);
}

TEST(Gate, WakesWhenTheBucketHasFilled) {
  Gate gate({.bucket = TokenBucketSpec{PerSecond(100), 100}, .hold = s(60)});
  EXPECT_TRUE(gate.admit(request(0), 0, s(0), load(0)));
  EXPECT_FALSE(gate.admit(request(1, 50), 0, s(0), load(0)));
  gate.hold(request(1, 50), 0, s(0));

  EXPECT_EQ(gate.next_event(s(0)), Nanoseconds(500'000'000));
  EXPECT_EQ(gate.let_in(Nanoseconds(500'000'000), load(0))->id, 1);
}

}  // namespace
}  // namespace presil::serving
