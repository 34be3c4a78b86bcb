#include "values/product/segments.h"

#include <string>

#include <gtest/gtest.h>

namespace presil {
namespace {

/// "0-4 4-8|" : a bar ends a core's share.
std::string text(const std::vector<Segment>& segments) {
  std::string out;
  for (const Segment& s : segments) {
    out += std::to_string(s.begin) + "-" + std::to_string(s.end) + (s.ends_core ? "|" : " ");
  }
  return out;
}

TEST(Segments, AreTheTilesOfTheProgram) {
  EXPECT_EQ(text(cut_into_segments(10, {.tile = 4}, 0, 10, 10)), "0-4 4-8 8-10|");
  EXPECT_EQ(text(cut_into_segments(10, {}, 0, 10, 10)), "0-10|");
}

TEST(Segments, AreDealtToCoresInRuns) {
  // Five tiles for two cores: three and two.
  EXPECT_EQ(text(cut_into_segments(10, {.tile = 2, .split = 2}, 0, 10, 10)),
            "0-2 2-4 4-6|6-8 8-10|");
}

TEST(Segments, ArePromotedWithinACoresShareInsteadOfAtTiles) {
  EXPECT_EQ(text(cut_into_segments(12, {.tile = 3, .split = 2}, 4, 12, 12)), "0-4 4-6|6-10 10-12|");
}

TEST(Segments, EndWhereAScaleEnds) {
  EXPECT_EQ(text(cut_into_segments(300, {.tile = 200}, 0, 128, 300)),
            "0-128 128-200 200-256 256-300|");
}

}  // namespace
}  // namespace presil
