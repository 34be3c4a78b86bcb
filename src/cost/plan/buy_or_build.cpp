#include "cost/plan/buy_or_build.h"

#include <cmath>

#include <fmt/format.h>

#include "cost/ownership.h"

namespace presil {
namespace {

SideSpec read_side(Fields& f) {
  SideSpec s;
  s.chip = f.text("chip", "a chip file or name");
  s.service = f.text_or("service", "the scenario's service that measures its rate", "");
  s.tokens_per_s = f.number_or("tokens_per_s", "of one chip while it works", 0, {0, 1e9});
  s.power = f.quantity_or<Watts>("power", "mean, of one chip while it works", Watts(0));
  f.require(!s.service.empty() || (s.tokens_per_s > 0 && s.power.count() > 0), "tokens_per_s",
            "expected a service, or tokens_per_s and power");
  return s;
}

/// The volume at which `own` and `once` over it reach `bought`.
std::optional<double> crossing(double own, double once, double bought) {
  if (own >= bought) return std::nullopt;
  return once / (bought - own);
}

}  // namespace

BuyOrBuildSpec read_buy_or_build(Fields& f) {
  BuyOrBuildSpec s;
  s.own = f.map("own", "the chip that would be built", read_side);
  s.bought = f.map("bought", "the chip that would be bought", read_side);
  s.from = f.integer_or("from", "own chips, the fewest", s.from, {1, 1e9});
  s.to = f.integer_or("to", "own chips, the most", s.to, {1, 1e9});
  s.points = f.integer_or("points", "volumes between them", s.points, {2, 1001});
  f.require(s.from < s.to, "to", "expected more than from");
  return s;
}

BuyOrBuildResult buy_or_build(const BuyOrBuildSpec& spec, const Server& own, const Server& bought,
                              const Prices& prices) {
  const Chip& gpu = bought.files.chip;
  if (!gpu.price) throw InputError(fmt::format("{}: price: needed, for it is bought", gpu.name));
  for (const Server* side : {&own, &bought}) {
    if (side->rate.tokens_per_s > 0) continue;
    throw InputError(fmt::format("{}: no tokens: its rate is 0", side->files.chip.name));
  }
  const auto each = [&](const Server& side, const Band& usd) {
    const auto at = [&](double chip_usd) {
      return usd_per_mtoken_at(side.rate, side.files.chip, chip_usd, prices);
    };
    return Band{at(usd.low), at(usd.typical), at(usd.high)};
  };
  BuyOrBuildResult r;
  r.own_each = price_chip(own.files, prices).usd_per_chip;
  r.bought_each = *gpu.price;
  r.once = prices.design + own.files.node.mask_set;
  const double own_tokens = own.rate.tokens_per_s / static_cast<double>(own.rate.chips);
  const double bought_tokens = bought.rate.tokens_per_s / static_cast<double>(bought.rate.chips);
  const Ownership& life = prices.ownership;
  r.mtokens_per_chip =
      own_tokens * life.utilisation.typical * availability(life) * life.lifetime.count() / 1e6;
  r.bought_per_own = own_tokens / bought_tokens;

  const Band made = each(own, r.own_each) * r.mtokens_per_chip;
  const Band market = each(bought, r.bought_each) * r.mtokens_per_chip;
  r.crossing_low = crossing(made.low, r.once.low, market.high);
  r.crossing = crossing(made.typical, r.once.typical, market.typical);
  r.crossing_high = crossing(made.high, r.once.high, market.low);
  const double ratio = static_cast<double>(spec.to) / static_cast<double>(spec.from);
  for (std::int64_t i = 0; i < spec.points; ++i) {
    const double at = static_cast<double>(i) / static_cast<double>(spec.points - 1);
    const double volume = static_cast<double>(spec.from) * std::pow(ratio, at);
    r.points.push_back({volume, made + r.once * (1 / volume), market});
  }
  return r;
}

}  // namespace presil
