#include "explore/cost_blocks.h"

#include <nlohmann/json.hpp>

namespace presil {
namespace {

Server server_of(const SideSpec& side, const std::vector<std::string>& overrides,
                 const std::filesystem::path& home, const MeasuredRate& measured) {
  const TokenRate rate =
      side.service.empty() ? TokenRate{side.tokens_per_s, 1, side.power} : measured(side.service);
  return {load_chip(side.chip, overrides, home), rate};
}

}  // namespace

CostBlocks read_cost_blocks(Fields& f) {
  CostBlocks blocks;
  blocks.foundries = f.maybe_map("foundries", "two foundries for one design", read_foundries);
  blocks.buy_or_build = f.maybe_map("buy_or_build", "own chips or bought ones", read_buy_or_build);
  blocks.supply = f.maybe_map("supply", "chips deliverable by a date", read_supply);
  blocks.houses = f.maybe_map("houses", "one supplier for all, or one for each", read_houses);
  return blocks;
}

Json answer_cost_blocks(const CostBlocks& blocks, const std::vector<std::string>& overrides,
                        const std::filesystem::path& home, const MeasuredRate& measured) {
  const Prices prices = load_prices(home);
  Json json;
  if (blocks.foundries) {
    json["foundries"] =
        foundries_json(compare_foundries(*blocks.foundries, overrides, prices, home));
  }
  if (blocks.buy_or_build) {
    const BuyOrBuildSpec& spec = *blocks.buy_or_build;
    json["buy_or_build"] =
        buy_or_build_json(buy_or_build(spec, server_of(spec.own, overrides, home, measured),
                                       server_of(spec.bought, {}, home, measured), prices));
  }
  if (blocks.supply) {
    const SupplySpec& spec = *blocks.supply;
    json["supply"] =
        supply_json(plan_supply(spec, load_chip(spec.chip, overrides, home), prices, home));
  }
  if (blocks.houses) {
    json["houses"] = houses_json(compare_houses(*blocks.houses, overrides, prices, home));
  }
  return json;
}

}  // namespace presil
