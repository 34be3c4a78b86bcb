// What is priced, as JSON: the answer of `presil cost` and the cost blocks of `presil serve`.
#pragma once

#include <vector>

#include "cost/plan/buy_or_build.h"
#include "cost/plan/foundries.h"
#include "cost/plan/houses.h"
#include "cost/plan/supply.h"
#include "explore/cost_request.h"
#include "explore/parts_json.h"

namespace presil {

/// All of "presil/cost/1" but the schema and the host.
Json cost_json(const CostAnswer& answer);

Json year_json(const YearBill& year);
Json port_json(const Port& port);
Json break_even_json(const BreakEven& line);
Json monte_carlo_json(const MonteCarlo& spread);
Json tornado_json(const std::vector<Swing>& swings);
Json foundries_json(const FoundriesResult& foundries);
Json buy_or_build_json(const BuyOrBuildResult& choice);
Json supply_json(const SupplyResult& supply);
Json houses_json(const HousesResult& houses);

}  // namespace presil
