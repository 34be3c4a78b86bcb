// The blocks of a scenario that are questions of money: foundries, buy_or_build, supply, houses.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cost/plan/buy_or_build.h"
#include "cost/plan/foundries.h"
#include "cost/plan/houses.h"
#include "cost/plan/supply.h"
#include "explore/parts_json.h"

namespace presil {

struct CostBlocks {
  std::optional<FoundriesSpec> foundries;
  std::optional<BuyOrBuildSpec> buy_or_build;
  std::optional<SupplySpec> supply;
  std::optional<HousesSpec> houses;
};

/// Reads those of the blocks that the scenario has.
CostBlocks read_cost_blocks(Fields& fields);

/// What a service of the scenario writes, all its chips together; throws InputError for a name that
/// is none.
using MeasuredRate = std::function<TokenRate(const std::string& service)>;

struct CostBlockAnswers {
  std::optional<FoundriesResult> foundries;
  std::optional<BuyOrBuildResult> buy_or_build;
  std::optional<SupplyResult> supply;
  std::optional<HousesResult> houses;
};

/// Overrides are fields of the blocks' own chips, not of what is bought.
CostBlockAnswers answer_cost_blocks(const CostBlocks& blocks,
                                    const std::vector<std::string>& overrides,
                                    const std::filesystem::path& home,
                                    const MeasuredRate& measured);

/// {foundries, buy_or_build, supply, houses}: those there are; null without any.
Json to_json(const CostBlockAnswers& answers);

/// The answers in words, a question or two a block.
std::vector<std::string> sentences(const CostBlockAnswers& answers);

}  // namespace presil
