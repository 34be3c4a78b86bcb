#include "base/quantity_text.h"

#include <gtest/gtest.h>

#include "base/clock.h"

namespace presil {
namespace {

TEST(Quantity, DecimalAndBinaryPrefixesAreKeptApart) {
  EXPECT_EQ(parse_quantity("36 GiB", Dimension::bytes).value(), 36.0 * 1024 * 1024 * 1024);
  EXPECT_EQ(parse_quantity("36 GB", Dimension::bytes).value(), 36e9);
  EXPECT_EQ(parse_quantity("3.35 TB/s", Dimension::bytes_per_second).value(), 3.35e12);
  EXPECT_EQ(parse_quantity("9.8 Gb/s", Dimension::bits_per_second).value(), 9.8e9);
}

TEST(Quantity, ABlankBeforeTheUnitIsOptional) {
  EXPECT_EQ(parse_quantity("421mm2", Dimension::square_millimetres).value(), 421);
  EXPECT_EQ(parse_quantity(" 0.1 /cm2 ", Dimension::per_square_centimetre).value(), 0.1);
}

TEST(Quantity, FractionsOfAByteAreRefused) {
  EXPECT_EQ(parse_quantity("2.7 KB", Dimension::bytes).value(), 2700);
  EXPECT_FALSE(parse_quantity("0.3 B", Dimension::bytes).has_value());
}

TEST(Quantity, NonsenseIsRefused) {
  for (const char* text : {"", "GiB", "12", "nan GiB", "inf B", "1e400 B", "3 GiB/s", "1 2 B"}) {
    EXPECT_FALSE(parse_quantity(text, Dimension::bytes).has_value()) << text;
  }
}

TEST(Quantity, IsShownWithThreeDigits) {
  EXPECT_EQ(format_quantity(3.35e12, Dimension::bytes_per_second), "3.35 TB/s");
  EXPECT_EQ(format_quantity(989.4e12, Dimension::flops_per_second), "989 TFLOP/s");
  EXPECT_EQ(format_quantity(0.00123, Dimension::seconds), "1.23 ms");
  EXPECT_EQ(format_quantity(0, Dimension::bytes), "0 B");
}

TEST(Quantity, WhatIsShownCanBeReadAgain) {
  for (const double value : {1.0, 999.0, 1.5e6, 7.25e11}) {
    const std::string text = format_quantity(value, Dimension::bytes_per_second);
    EXPECT_NEAR(parse_quantity(text, Dimension::bytes_per_second).value() / value, 1, 0.005)
        << text;
  }
}

TEST(Clock, EdgesDoNotDrift) {
  const CoreClock clock(Hertz(1.35e9));
  // 1.35e9 cycles are one second, although one cycle is 740.74 ps.
  EXPECT_EQ(clock.edge(CoreCycles(1'350'000'000)), Picoseconds(1'000'000'000'000));
  EXPECT_EQ(clock.edge(CoreCycles(1)), 741_ps);
}

TEST(Clock, CycleAtIsTheFirstEdgeAtOrAfter) {
  const CoreClock clock(Hertz(1e9));
  EXPECT_EQ(clock.cycle_at(1000_ps), CoreCycles(1));
  EXPECT_EQ(clock.cycle_at(1001_ps), CoreCycles(2));
}

TEST(Duration, IsRoundedUp) {
  EXPECT_EQ(duration(1_B, BytesPerSecond(3e12)), 1_ps);
  EXPECT_EQ(duration(Bytes(3000), BytesPerSecond(1e12)), 3_ns);
}

TEST(Duration, IsCutToWhatAFewOfThemCanAddUpTo) {
  EXPECT_EQ(duration(Bytes(1'000'000'000'000'000), BytesPerSecond(1e6)), kLongestDuration);
  const CoreCycles many = CoreCycles(INT64_MAX / 4) * 1000;
  EXPECT_EQ(CoreClock(Hertz(1e6)).edge(many), kLongestDuration);
  EXPECT_GT((kLongestDuration + kLongestDuration).count(), kLongestDuration.count());
}

}  // namespace
}  // namespace presil
