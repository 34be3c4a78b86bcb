#include "cost/price.h"

#include <cmath>

#include <gtest/gtest.h>

#include "cost/stack.h"

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
    EXPECT_EQ(sum, price.usd_per_chip) << name << ": lines lie on a grid, so sums are exact";
    EXPECT_GT(price.yield, 0) << name;
    EXPECT_LE(price.yield, 1) << name;
  }
}

TEST(Price, LinesSumInAnyOrder) {
  const ChipPrice price = price_chip(load("h100-sxm"), load_prices(kHome), {.volume = 7});
  double backwards = 0;
  for (auto line = price.lines.rbegin(); line != price.lines.rend(); ++line) {
    backwards += line->usd.high;
  }
  EXPECT_EQ(backwards, price.usd_per_chip.high);
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
  EXPECT_NEAR(line(price, "test").typical, 920, 1);
  EXPECT_EQ(price.stacks, 5);
}

TEST(Price, OtherGpusCostWhatAnalystsPublish) {
  const Prices prices = load_prices(kHome);
  // Silicon Analysts' cost bridge: B200 6,400 USD, of it 2,900 HBM; MI300X 5,300, of it 600 logic
  // and 2,900 HBM; H200 4,800. Their band is wide, and ours must hold theirs.
  const auto holds = [&](const std::string& chip, double published) {
    const Band usd = price_chip(load(chip), prices).usd_per_chip;
    EXPECT_LT(usd.low, published) << chip;
    EXPECT_GT(usd.high, published) << chip;
  };
  holds("h100-sxm", 3320);
  holds("h200-sxm", 4800);
  holds("b200-sxm", 6400);
  holds("mi300x", 5300);
  EXPECT_NEAR(line(price_chip(load("b200-sxm"), prices), "dram").typical, 2900, 400);
  EXPECT_NEAR(line(price_chip(load("mi300x"), prices), "die").typical, 600, 300);
}

TEST(Price, AGa100LikeDieCostsLessThanTtmCasSaysBecauseItIsHarvested) {
  // 423 USD a good die with 35 % yield (accelerators.md 3.3); sold with 108 of 128 SMs.
  const ChipPrice price = price_chip(load("a100-sxm-80gb"), load_prices(kHome));
  EXPECT_LT(line(price, "die").typical, 423);
  EXPECT_GT(line(price, "die").typical, 150);  // no loss at all: 9346 / 62.4
  EXPECT_GT(price.yield, 0.6);
}

TEST(Price, AssemblyLossIsWhatMisplacedPartsTakeWithThem) {
  const ChipPrice price = price_chip(load("h100-sxm"), load_prices(kHome));

  const double yield = std::pow(0.99, 6);      // one die and five stacks
  const double good = std::pow(1 - 0.003, 5);  // stacks that prove bad later
  const double assembled = line(price, "die").typical + line(price, "dram").typical +
                           line(price, "interposer").typical + line(price, "substrate").typical +
                           line(price, "attach").typical;
  EXPECT_DOUBLE_EQ(price.package_yield, yield * good);
  EXPECT_NEAR(line(price, "assembly loss").typical, assembled * (1 / yield - 1), 1e-5);
  EXPECT_NEAR(line(price, "bad stacks").typical, assembled / yield * (1 / good - 1), 1e-5);
}

TEST(Price, DesignAndMasksArePaidByTheVolume) {
  const Prices prices = load_prices(kHome);
  const ChipFiles files = load("mtia-v2");

  const double alone = price_chip(files, prices).usd_per_chip.typical;
  const double among = price_chip(files, prices, {.volume = 100000}).usd_per_chip.typical;

  EXPECT_NEAR(among - alone, (18.1e6 + 300e6) / 100000, 1e-5);
}

TEST(Price, WafersCoverWhatYieldAndAssemblyLose) {
  const ChipPrice price = price_chip(load("mtia-v2"), load_prices(kHome), {.volume = 10000});

  EXPECT_NEAR(
      price.wafers * static_cast<double>(price.dies_per_wafer) * price.yield * price.package_yield,
      10000, 1e-6);
}

TEST(Price, AStackWithoutAQuoteIsBuiltFromItsParts) {
  const Prices prices = load_prices(kHome);
  // 16 high: four stack IDs; hbm4 is quoted for at most 12.
  const ChipFiles files = load("mtia-450", {"memory.organisation.stack_ids=4"});
  const ChipPrice price = price_chip(files, prices);

  const StackCost stack = stack_cost(prices.stacks.at("hbm4"), 16);
  EXPECT_NEAR(line(price, "dram").typical, 8 * stack.price, 1e-5);
  EXPECT_GT(stack.price, stack_cost(prices.stacks.at("hbm4"), 12).price);
}

TEST(Price, BuiltStacksAgreeWithQuotedOnes) {
  const Prices prices = load_prices(kHome);
  const auto agrees = [&](const std::string& family, std::int64_t height, double gb) {
    const double built = stack_cost(prices.stacks.at(family), height).price;
    const Band quoted = prices.dram.at(family).per_gb * gb;
    EXPECT_GT(built, quoted.low) << family;
    EXPECT_LT(built, quoted.high) << family;
  };
  agrees("hbm2", 8, 8.59);
  agrees("hbm2e", 8, 17.18);
  agrees("hbm3", 8, 17.18);
  agrees("hbm3e", 8, 25.77);
  agrees("hbm3e", 12, 38.65);
  agrees("hbm4", 12, 38.65);
}

TEST(Price, AStackIsTheHandWorkedSumOfItsParts) {
  // 100 mm2 on 294 mm: pi 147^2 / 100 - pi 294 / sqrt(200) = 678.9 - 65.3 = 613 dies.
  // 4 dies: 4 x 6130 / 613 / 0.8 = 50; placing 4 x 1, base 6: 60 / 0.9^4 + 10 = 101.45.
  const Band one{1, 1, 1};
  const StackParts parts{.die_area = SquareMillimetres(100),
                         .wafer_price = one * 6130,
                         .die_yield = one * 0.8,
                         .base_die = one * 6,
                         .bond = one,
                         .bond_yield = one * 0.9,
                         .test = one * 10,
                         .margin = one * 0.5};
  const StackCost stack = stack_cost(parts, 4);
  EXPECT_NEAR(stack.cost, 60 / 0.6561 + 10, 1e-9);
  EXPECT_NEAR(stack.price, 2 * stack.cost, 1e-9);
}

TEST(Price, ATowerIsTwoHalvesThatYieldBetterAndABondThatMayFail) {
  const Prices prices = load_prices(kHome);
  const ChipPrice flat = price_chip(load("artemis-hbm3e"), prices);
  const ChipPrice tower = price_chip(load("artemis-hbm3e", {"package.kind=xcube"}), prices);

  EXPECT_GT(tower.yield, flat.yield);
  EXPECT_GT(tower.dies_per_wafer, 2 * flat.dies_per_wafer * 9 / 10);
  const double before = line(tower, "die").typical + line(tower, "3D bonding").typical;
  EXPECT_NEAR(line(tower, "3D bonding loss").typical, before * (1 / 0.98 - 1), 1e-5);
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
  without.stacks.erase("hbm3");
  try {
    price_chip(load("h100-sxm"), without);
    ADD_FAILURE() << "priced without a price";
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("packages/prices.yaml: dram.hbm3"), std::string::npos)
        << error.what();
  }
}

}  // namespace
}  // namespace presil
