#include "fleet/bill.h"

#include <gtest/gtest.h>

namespace presil::fleet {
namespace {

constexpr double kDay = 86400;

Ownership ownership() {
  Ownership o;
  o.lifetime = Seconds(1000 * kDay);
  o.board = {1000, 2000, 3000};
  o.network_share = {0.1, 0.1, 0.1};
  o.building = {10000, 10000, 10000};
  o.building_lifetime = Seconds(10000 * kDay);
  o.electricity = {0.05, 0.1, 0.2};
  o.pue = {1.25, 1.25, 1.25};
  o.server_power = {1.6, 1.6, 1.6};
  return o;
}

ChipSupply own_chip() {
  ChipSupply s;
  s.own = true;
  s.limit = Watts(250);
  s.first.usd_per_chip = {1000, 2000, 4000};
  s.first.design_usd = {1e5, 2e5, 3e5};
  s.first.wafers = 0.02;
  s.first.stacks = 4;
  s.second = s.first;
  s.second->usd_per_chip = {1500, 3000, 5000};
  s.second->design_usd = {1e4, 2e4, 3e4};
  s.second->wafers = 0.025;
  return s;
}

ChipSupply bought_chip() {
  ChipSupply s;
  s.limit = Watts(500);
  s.first.usd_per_chip = {25000, 27500, 30000};
  s.first.wafers = 0.03;
  s.first.stacks = 5;
  return s;
}

FailureRecord failures() {
  // 200 chips watched for ten days, of which one was thrown away: 0.0005 a chip and day.
  return {.chips = 200,
          .time = Seconds(10 * kDay),
          .causes = {{"hbm", 2, FailureCause::Takes::server, Seconds(kDay), 0.5}}};
}

// 100 own chips and 20 bought ones. Typical: chips 200,000 and 550,000; limits 25 + 10 kW, so
// servers 70,000; network 0.1 x 820,000 = 82,000; buildings 35 kW x 1.6 x 10,000 = 560,000; design
// 200,000. A day: (200,000 + 200,000 + 550,000 + 70,000 + 82,000) / 1000 + 560,000 / 10,000 = 1,158
// USD. 20 kW of chips are 40 kW of site, 960 kWh, 96 USD; replaced 0.0005 x 750,000 = 375 USD.
TEST(FleetBill, AddsUpAsByHand) {
  const ChipSupply own = own_chip();
  const ChipSupply bought = bought_chip();
  const ChipCount kinds[] = {{&own, 100}, {&bought, 20}};
  const FleetBill bill = make_bill(kinds, supply_need(kinds, {}), ownership(), failures(), 20e3);
  EXPECT_DOUBLE_EQ(power_overhead(ownership()), 2);
  EXPECT_NEAR(bill.capex.typical, 200e3 + 550e3 + 70e3 + 82e3 + 560e3 + 200e3, 1e-6);
  EXPECT_NEAR(bill.depreciation_per_day.typical, 1158, 1e-9);
  EXPECT_NEAR(bill.opex_per_day.typical, 96 + 375, 1e-9);

  Band capital, written_off, paid;
  for (const BillLine& line : bill.capital) capital += line.usd;
  for (const BillLine& line : bill.capital) written_off += line.usd_per_day;
  for (const BillLine& line : bill.operation) paid += line.usd_per_day;
  EXPECT_EQ(capital, bill.capex);
  EXPECT_EQ(written_off, bill.depreciation_per_day);
  EXPECT_EQ(paid, bill.opex_per_day);
  EXPECT_LT(bill.per_day().low, bill.per_day().typical);
  EXPECT_LT(bill.per_day().typical, bill.per_day().high);
}

TEST(FleetBill, ADesignThatIsNotBuiltCostsNothing) {
  const ChipSupply own = own_chip();
  const ChipSupply bought = bought_chip();
  const ChipCount kinds[] = {{&own, 0}, {&bought, 20}};
  const FleetBill bill = make_bill(kinds, supply_need(kinds, {}), ownership(), failures(), 0);
  EXPECT_EQ(bill.capital[1].name, "design and masks");
  EXPECT_EQ(bill.capital[1].usd.high, 0);
}

// 1,000 own chips need 20 wafers at the first foundry. It makes 6 a year for two years: 600 chips.
// The other 400, a share of 0.4, take 400 x 0.025 = 10 wafers at the second: 22 in all.
TEST(SupplyNeed, TheSecondFoundryMakesWhatTheFirstCannot) {
  const ChipSupply own = own_chip();
  const ChipSupply bought = bought_chip();
  const ChipCount kinds[] = {{&own, 1000}, {&bought, 100}};
  const Ceilings ceilings{
      .years = 2, .wafers_per_year = 6, .stacks_per_year = 1500, .second_node = {}};
  const SupplyNeed need = supply_need(kinds, ceilings);
  EXPECT_NEAR(need.first_foundry_chips, 600, 1e-9);
  EXPECT_NEAR(need.second_foundry_share, 0.4, 1e-12);
  EXPECT_NEAR(need.second_foundry_wafers, 10, 1e-9);
  EXPECT_NEAR(need.own_wafers, 22, 1e-9);
  EXPECT_NEAR(need.bought_wafers, 3, 1e-9);
  EXPECT_NEAR(need.stacks, 4500, 1e-9);
  EXPECT_NEAR(need.stacks_share, 1.5, 1e-12);
}

// 600 chips at 2,000 USD and 400 at 3,000, and both designs.
TEST(FleetBill, PaysTheSecondFoundryAsWell) {
  const ChipSupply own = own_chip();
  const ChipCount kinds[] = {{&own, 1000}};
  const Ceilings ceilings{
      .years = 2, .wafers_per_year = 6, .stacks_per_year = {}, .second_node = {}};
  const FleetBill bill = make_bill(kinds, supply_need(kinds, ceilings), ownership(), failures(), 0);
  EXPECT_NEAR(bill.capital[0].usd.typical, 600 * 2000 + 400 * 3000, 1e-6);
  EXPECT_NEAR(bill.capital[1].usd.typical, 2e5 + 2e4, 1e-6);
}

TEST(SupplyNeed, WithoutACeilingOneFoundryIsEnough) {
  const ChipSupply own = own_chip();
  const ChipCount kinds[] = {{&own, 1000}};
  const SupplyNeed need = supply_need(kinds, {});
  EXPECT_EQ(need.second_foundry_share, 0);
  EXPECT_NEAR(need.own_wafers, 20, 1e-9);
}

}  // namespace
}  // namespace presil::fleet
