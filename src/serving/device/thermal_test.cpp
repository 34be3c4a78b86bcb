#include "serving/device/thermal.h"

#include <cmath>

#include <gtest/gtest.h>

#include "serving/device/testing/phone.h"

namespace presil::serving {
namespace {

using testing::ms;

ThermalSpec two_levels() {
  ThermalSpec spec;
  spec.ambient = Celsius(25);
  spec.skin = {KelvinPerWatt(4), Seconds(100), Celsius(43)};
  spec.die = {KelvinPerWatt(5), Seconds(2), Celsius(95)};
  spec.levels = {{1, 1}, {0.5, 0.8}};
  return spec;
}

TEST(Thermometer, WarmsUpAsAResistorAndACapacitorDo) {
  Thermometer t(two_levels());
  t.spend(Watts(6), Watts(5), Seconds(100));  // one time constant of the skin, fifty of the die
  EXPECT_NEAR(t.skin().count(), 25 + 6 * 4 * (1 - std::exp(-1)), 1e-9);
  EXPECT_NEAR((t.die() - t.skin()).count(), 25, 1e-9);
  t.spend(Watts(0), Watts(0), Seconds(1e6));
  EXPECT_NEAR(t.die().count(), 25, 1e-9);
}

TEST(Thermometer, AStretchMayBeCutAnywhere) {
  Thermometer whole(two_levels());
  Thermometer cut(two_levels());
  whole.spend(Watts(6), Watts(5), Seconds(30));
  for (int i = 0; i < 30; ++i) cut.spend(Watts(6), Watts(5), Seconds(1));
  EXPECT_NEAR(whole.skin().count(), cut.skin().count(), 1e-9);
  EXPECT_NEAR(whole.die().count(), cut.die().count(), 1e-9);
}

TEST(Governor, LowersTheClockAboveTheLimitAndRaisesItBelowTheHysteresis) {
  Thermometer t(two_levels());
  Governor g;
  EXPECT_EQ(g.choose(t, ms(0)), 0u);
  t.spend(Watts(6), Watts(0), Seconds(1000));  // 49 C
  EXPECT_EQ(g.choose(t, ms(10'000)), 1u);
  EXPECT_EQ(g.choose(t, ms(20'000)), 1u);       // no slower level
  t.spend(Watts(4.2), Watts(0), Seconds(1e6));  // 41.8 C: below the limit, above 41
  EXPECT_EQ(g.choose(t, ms(30'000)), 1u);
  t.spend(Watts(1), Watts(0), Seconds(1e6));
  EXPECT_EQ(g.choose(t, ms(40'000)), 0u);
  t.spend(Watts(6), Watts(0), Seconds(1e6));
  EXPECT_EQ(g.choose(t, ms(42'000)), 0u);  // changed 2 s ago
  EXPECT_EQ(g.choose(t, ms(45'000)), 1u);
}

}  // namespace
}  // namespace presil::serving
