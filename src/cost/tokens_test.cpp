#include "cost/tokens.h"

#include <gtest/gtest.h>

#include "cost/ownership.h"

namespace presil {
namespace {

const std::filesystem::path kHome = PRESIL_SOURCE_DIR;
constexpr Band kOne{1, 1, 1};

Chip kilowatt_chip() {
  Chip chip;
  chip.power.limit = Watts(1000);
  chip.power.idle = Watts(100);
  return chip;
}

/// Written off in two years.
Prices round_prices() {
  Prices prices;
  prices.ownership = {.lifetime = 2 * kYear,
                      .utilisation = kOne * 0.5,
                      .board = kOne * 1000,
                      .host = kOne * 2000,
                      .power_delivery = kOne * 400,
                      .cooling = kOne * 200,
                      .rack = kOne * 100,
                      .building = kOne * 8000,
                      .building_lifetime = 20 * kYear,
                      .network_share = kOne * 0.1,
                      .electricity = kOne * 0.1,
                      .pue = kOne * 1.2,
                      .server_power = kOne * 1.5,
                      .failures = kOne * 0.2,
                      .repair = kOne * 0.25,
                      .repair_time = kYear * 0.5};
  return prices;
}

Band line(const YearBill& year, const std::string& name) {
  for (const CostLine& l : year.lines) {
    if (l.name == name) return l.usd;
  }
  ADD_FAILURE() << "no line " << name;
  return {};
}

TEST(Ownership, AYearIsItsShareOfCapitalAndWhatIsPaidAsItComes) {
  const YearBill year = chip_year(kilowatt_chip(), kOne * 5000, Watts(600), round_prices());

  // 1 kW of chip, 1.5 kW of server.
  EXPECT_DOUBLE_EQ(line(year, "chips").typical, 5000 / 2.0);
  EXPECT_DOUBLE_EQ(line(year, "board").typical, 1000 / 2.0);
  EXPECT_DOUBLE_EQ(line(year, "host").typical, 2000 / 2.0);
  EXPECT_DOUBLE_EQ(line(year, "power delivery").typical, 400 * 1.5 / 2);
  EXPECT_DOUBLE_EQ(line(year, "cooling").typical, 200 * 1.5 / 2);
  EXPECT_DOUBLE_EQ(line(year, "rack").typical, 100 * 1.5 / 2);
  EXPECT_DOUBLE_EQ(line(year, "network").typical, 0.1 * (5000 + 3000 + 700 * 1.5) / 2);
  EXPECT_DOUBLE_EQ(line(year, "building").typical, 8000 * 1.5 / 20);
  // 0.6 kW x 1.5 x 1.2 x 8766 h x 0.1 USD
  EXPECT_NEAR(line(year, "electricity").typical, 0.6 * 1.5 * 1.2 * 8766 * 0.1, 1e-9);
  EXPECT_DOUBLE_EQ(line(year, "repairs").typical, 0.2 * 0.25 * 5000);
}

TEST(Ownership, AYearIsDepreciationAndWhatRuns) {
  const YearBill year = chip_year(load_chip("h100-sxm", {}, kHome).chip, {25000, 27500, 30000},
                                  Watts(500), load_prices(kHome));
  Band sum;
  for (const CostLine& l : year.lines) {
    EXPECT_LE(l.usd.low, l.usd.typical) << l.name;
    EXPECT_LE(l.usd.typical, l.usd.high) << l.name;
    EXPECT_FALSE(l.source.empty()) << l.name;
    sum += l.usd;
  }
  EXPECT_NEAR(sum.typical, year.total.typical, 1e-9);
  EXPECT_EQ(year.total, year.depreciation + year.running);
}

TEST(Ownership, AnH100ServerCostsWhatItsBillSays) {
  // Epoch AI: 32,010 USD beside the GPUs of a DGX H100, 8 x 0.7 kW.
  const Ownership own = load_prices(kHome).ownership;
  EXPECT_NEAR(8 * 0.7 * server_per_kw(own).typical, 32010, 100);
}

TEST(Ownership, FailuresTakeChipsAway) {
  // 0.2 failures a year of half a year each: 1 / 1.1.
  EXPECT_DOUBLE_EQ(availability(round_prices().ownership), 1 / 1.1);
}

TEST(Tokens, AMillionTokensPayTheirShareOfTheYear) {
  ChipPrice price;
  price.usd_per_chip = kOne * 5000;
  const Prices prices = round_prices();

  const TokenPrice result = usd_per_mtoken({.tokens_per_s = 2000, .chips = 2, .power = Watts(900)},
                                           kilowatt_chip(), price, prices);

  // Half of the time at 900 W, half idle at 100 W; 2000 tokens/s x 0.5 x 1 / 1.1 of a year.
  const YearBill year = chip_year(kilowatt_chip(), kOne * 5000, Watts(500), prices);
  const double mtokens = 2000e-6 * 0.5 / 1.1 * 31557600;
  EXPECT_NEAR(result.usd_per_mtoken.typical, 2 * year.total.typical / mtokens, 1e-12);
  EXPECT_FALSE(result.at_market_price);
}

TEST(Tokens, AChipWithAMarketPriceIsBoughtAtIt) {
  const Prices prices = load_prices(kHome);
  const ChipFiles h100 = load_chip("h100-sxm", {}, kHome);
  const TokenRate rate{.tokens_per_s = 1000, .chips = 1, .power = Watts(500)};

  const TokenPrice bought = usd_per_mtoken(rate, h100.chip, price_chip(h100, prices), prices);

  // 27,500 USD over 1826 days x 86,400 s x 0.6 x 1000 tokens/s, less 0.106 x 3 days a year.
  const double works = 0.6 / (1 + 0.106 * 3 / 365.25);
  EXPECT_TRUE(bought.at_market_price);
  EXPECT_NEAR(bought.lines.front().usd.typical, 27500 / (1826 * 86400 * works * 1e-3), 1e-6);
  EXPECT_LT(bought.usd_per_mtoken.low, bought.usd_per_mtoken.typical);
  EXPECT_LT(bought.usd_per_mtoken.typical, bought.usd_per_mtoken.high);
}

TEST(Tokens, OnePointOfTheBandIsItsTypicalValue) {
  const Prices prices = load_prices(kHome);
  const ChipFiles mtia = load_chip("mtia-v2", {}, kHome);
  const TokenRate rate{.tokens_per_s = 100, .chips = 2, .power = Watts(60)};
  const ChipPrice price = price_chip(mtia, prices);

  EXPECT_DOUBLE_EQ(usd_per_mtoken_at(rate, mtia.chip, price.usd_per_chip.typical, prices),
                   usd_per_mtoken(rate, mtia.chip, price, prices).usd_per_mtoken.typical);
}

}  // namespace
}  // namespace presil
