#include "cost/price.h"

#include <cmath>

#include <gtest/gtest.h>

#include "cost/tokens.h"

namespace presil {
namespace {

const std::filesystem::path kHome = PRESIL_SOURCE_DIR;

ChipFiles load(const std::string& chip, const std::vector<std::string>& overrides = {}) {
  return load_chip(chip, overrides, kHome);
}

Band line(const ChipPrice& price, const std::string& name) {
  for (const CostLine& l : price.lines) {
    if (l.name == name) return l.usd;
  }
  ADD_FAILURE() << "no line " << name;
  return {};
}

TEST(Price, LinesSumToTheTotalAndAreOrdered) {
  const Prices prices = load_prices(kHome);
  for (const std::string& name : names_in(kHome / "chips")) {
    const ChipPrice price = price_chip(load(name), prices, {.volume = 100000});
    Band sum;
    for (const CostLine& l : price.lines) {
      EXPECT_LE(l.usd.low, l.usd.typical) << name << " " << l.name;
      EXPECT_LE(l.usd.typical, l.usd.high) << name << " " << l.name;
      EXPECT_FALSE(l.source.empty());
      sum += l.usd;
    }
    EXPECT_DOUBLE_EQ(sum.typical, price.usd_per_chip.typical) << name;
    EXPECT_GT(price.yield, 0) << name;
    EXPECT_LE(price.yield, 1) << name;
  }
}

TEST(Price, H100CostsWhatAnalystsPublish) {
  const ChipPrice price = price_chip(load("h100-sxm"), load_prices(kHome));

  // Epoch AI and Silicon Analysts: 3,320 USD, of it 300 logic, 1,350 HBM, 750 package, 920 test.
  EXPECT_GT(price.usd_per_chip.typical, 3000);
  EXPECT_LT(price.usd_per_chip.typical, 3500);
  EXPECT_NEAR(line(price, "die").typical, 300, 100);
  EXPECT_NEAR(line(price, "dram").typical, 1350, 50);
  EXPECT_NEAR(line(price, "interposer").typical + line(price, "substrate").typical +
                  line(price, "attach").typical + line(price, "assembly loss").typical,
              750, 75);
  EXPECT_EQ(price.stacks, 5);
}

TEST(Price, AssemblyLossIsWhatMisplacedPartsTakeWithThem) {
  const ChipPrice price = price_chip(load("h100-sxm"), load_prices(kHome));

  const double yield = std::pow(0.99, 6);  // one die and five stacks
  const double assembled = line(price, "die").typical + line(price, "dram").typical +
                           line(price, "interposer").typical + line(price, "substrate").typical +
                           line(price, "attach").typical;
  EXPECT_DOUBLE_EQ(price.package_yield, yield);
  EXPECT_NEAR(line(price, "assembly loss").typical, assembled * (1 / yield - 1), 1e-6);
}

TEST(Price, DesignAndMasksArePaidByTheVolume) {
  const Prices prices = load_prices(kHome);
  const ChipFiles files = load("mtia-v2");

  const double alone = price_chip(files, prices).usd_per_chip.typical;
  const double among = price_chip(files, prices, {.volume = 100000}).usd_per_chip.typical;

  EXPECT_NEAR(among - alone, (18.1e6 + 300e6) / 100000, 1e-6);
}

TEST(Price, WafersCoverWhatYieldAndAssemblyLose) {
  const ChipPrice price = price_chip(load("mtia-v2"), load_prices(kHome), {.volume = 10000});

  EXPECT_NEAR(
      price.wafers * static_cast<double>(price.dies_per_wafer) * price.yield * price.package_yield,
      10000, 1e-6);
}

TEST(Price, EveryPriceHasASource) {
  const Prices prices = load_prices(kHome);
  for (const InputValue& value :
       list_inputs(read_document(prices.file, Syntax::yaml), prices.sources)) {
    EXPECT_TRUE(value.source.has_value() || value.field == "name") << value.field;
  }
}

TEST(Price, RefusesWhatCannotBeMade) {
  const Prices prices = load_prices(kHome);
  EXPECT_THROW(price_chip(load("artemis-hbm3e", {"dram.stacks=20"}), prices), InputError);
  EXPECT_THROW(price_chip(load("mtia-v2", {"node.defect_density=500 /cm2"}), prices), InputError);
  EXPECT_THROW(
      price_chip(load("h100-sxm", {"package.interposer.defect_density=1000 /cm2"}), prices),
      InputError);
  Prices without = prices;
  without.dram.erase("hbm3");
  EXPECT_THROW(price_chip(load("h100-sxm"), without), InputError);
}

TEST(Tokens, CapitalAndElectricityAreSpreadOverTheTokensOfALife) {
  Chip chip;
  chip.power.limit = Watts(1000);
  chip.power.idle = Watts(100);
  ChipPrice price;
  price.usd_per_chip = {1000, 1000, 1000};
  Prices prices;
  prices.ownership = {.lifetime = Seconds(1e8),
                      .utilisation = 0.5,
                      .server = {2000, 2000, 2000},
                      .network_share = 0.1,
                      .building = {8000, 8000, 8000},
                      .building_lifetime = Seconds(4e8),
                      .electricity = {0.1, 0.1, 0.1},
                      .pue = 1.2,
                      .server_power = 1.5};

  const TokenPrice result =
      usd_per_mtoken({.tokens_per_s = 2000, .chips = 2, .power = Watts(900)}, chip, price, prices);

  // 2000 x 0.5 x 1e8 s = 1e5 Mtoken. Chips 2 x 1000; server 2 kW x 2000; network 0.1 x 6000;
  // building 8000 x 2 kW x 1.5 x 1/4; electricity 2 x (900 + 100) / 2 W x 1.5 x 1.2 x 1e8 s.
  const double kwh = 2 * 500.0 * 1.5 * 1.2 * 1e8 / 3.6e6;
  const double usd = 2000 + 4000 + 600 + 6000 + 0.1 * kwh;
  EXPECT_NEAR(result.usd_per_mtoken.typical, usd / 1e5, 1e-9);
  EXPECT_FALSE(result.at_market_price);
}

TEST(Tokens, AChipWithAMarketPriceIsBoughtAtIt) {
  const Prices prices = load_prices(kHome);
  const ChipFiles h100 = load("h100-sxm");
  const TokenRate rate{.tokens_per_s = 1000, .chips = 1, .power = Watts(500)};

  const TokenPrice bought = usd_per_mtoken(rate, h100.chip, price_chip(h100, prices), prices);

  // 27,500 USD over 1826 days x 86,400 s x 0.6 x 1000 tokens/s = 94,660 Mtoken
  EXPECT_TRUE(bought.at_market_price);
  EXPECT_NEAR(bought.lines.front().usd.typical, 27500 / (1826 * 86400 * 0.6e-3), 1e-6);
}

}  // namespace
}  // namespace presil
