#include "serving/load/timestamp.h"

#include <gtest/gtest.h>

namespace presil::serving {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

TEST(Timestamp, CountsFrom1970) {
  EXPECT_EQ(parse_timestamp("1970-01-01 00:00:00"), Nanoseconds(0));
  // 2000-03-01 is 30 years of 365 days, 7 leap days before it (1972 to 1996), January, and the 29
  // days of February later.
  const std::int64_t days = 30 * 365 + 7 + 31 + 29;
  EXPECT_EQ(parse_timestamp("2000-03-01T01:02:03.5Z"),
            Nanoseconds((days * 86400 + 3723) * kSecond + kSecond / 2));
  EXPECT_EQ(parse_timestamp("1970-01-01 00:00:00.000000001+00:00"), Nanoseconds(1));
  EXPECT_EQ(parse_timestamp("1970-01-01 00:00:00.0000001"), Nanoseconds(100));
}

TEST(Timestamp, NothingElseIsOne) {
  for (const char* text :
       {"", "2023", "2023-11-16", "2023-11-16 18:17", "2023-13-16 18:17:03", "2023-02-29 18:17:03",
        "2023-00-01 00:00:00", "2023-11-16 24:00:00", "2023-11-16 18:60:03", "2023-11-16 18:17:60",
        "2023-11-16 18:17:03.", "2023-11-16 18:17:03.1234567890", "2023-11-16 18:17:03 ",
        "2023-11-16 18:17:03+01:00", "1969-12-31 23:59:59", "2100-01-01 00:00:00",
        "2023-11-16x18:17:03", "2023-1-16 18:17:03", "-023-11-16 18:17:03"}) {
    EXPECT_FALSE(parse_timestamp(text)) << text;
  }
}

}  // namespace
}  // namespace presil::serving
