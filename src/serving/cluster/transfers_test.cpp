#include "serving/cluster/transfers.h"

#include <gtest/gtest.h>

namespace presil::serving {
namespace {

Request request(std::int64_t id) {
  Request one;
  one.id = id;
  return one;
}

// 1 GB/s is a byte a nanosecond.
TEST(Transfers, ShareTheLinkOfTheirReplicaInTurn) {
  Transfers transfers({.bandwidth = BytesPerSecond(1e9), .latency = Nanoseconds(7)}, 2);

  const auto first = transfers.send(request(0), {}, 100, 0, 5, Nanoseconds(10));
  const auto second = transfers.send(request(1), {}, 30, 0, 5, Nanoseconds(20));
  const auto elsewhere = transfers.send(request(2), {}, 30, 1, 5, Nanoseconds(20));

  EXPECT_EQ(first.waited, Nanoseconds(0));
  EXPECT_EQ(first.arrives, Nanoseconds(10 + 100 + 7));
  EXPECT_EQ(second.waited, Nanoseconds(90));
  EXPECT_EQ(second.arrives, Nanoseconds(110 + 30 + 7));
  EXPECT_EQ(elsewhere.waited, Nanoseconds(0));
  EXPECT_EQ(elsewhere.arrives, Nanoseconds(20 + 30 + 7));
  EXPECT_EQ(transfers.take().request.id, 2);
  EXPECT_EQ(transfers.take().request.id, 0);
  EXPECT_EQ(transfers.take().request.id, 1);
  EXPECT_EQ(transfers.next_arrival(), kLongestService);
}

TEST(Transfers, ThatArriveTogetherAreTakenAsTheyWereSent) {
  Transfers transfers({.bandwidth = BytesPerSecond(1e9), .latency = Nanoseconds(0)}, 8);
  for (int i = 0; i < 8; ++i) transfers.send(request(i), {}, 10, 7 - i, 0, Nanoseconds(0));
  for (int i = 0; i < 8; ++i) EXPECT_EQ(transfers.take().request.id, i);
}

}  // namespace
}  // namespace presil::serving
