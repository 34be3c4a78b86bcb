// The blocks of a scenario that are questions of money: foundries, buy_or_build, supply, houses.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "explore/cost_json.h"

namespace presil {

struct CostBlocks {
  std::optional<FoundriesSpec> foundries;
  std::optional<BuyOrBuildSpec> buy_or_build;
  std::optional<SupplySpec> supply;
  std::optional<HousesSpec> houses;
};

/// Reads those of the blocks that the scenario has.
CostBlocks read_cost_blocks(Fields& fields);

/// What a service of the scenario writes; throws InputError for a name that is none.
using MeasuredRate = std::function<TokenRate(const std::string& service)>;

/// The members `foundries`, `buy_or_build`, `supply` and `houses` of the scenario's `cost`; null
/// without any of them. Overrides are fields of the blocks' chips.
Json answer_cost_blocks(const CostBlocks& blocks, const std::vector<std::string>& overrides,
                        const std::filesystem::path& home, const MeasuredRate& measured);

}  // namespace presil
