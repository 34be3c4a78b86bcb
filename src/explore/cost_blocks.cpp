#include "explore/cost_blocks.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "explore/cost_json.h"

namespace presil {
namespace {

constexpr double kSecondsADay = 86400;

Server server_of(const SideSpec& side, const std::vector<std::string>& overrides,
                 const std::filesystem::path& home, const MeasuredRate& measured) {
  const TokenRate rate =
      side.service.empty() ? TokenRate{side.tokens_per_s, 1, side.power} : measured(side.service);
  return {load_chip(side.chip, overrides, home), rate};
}

void tell(const FoundriesResult& r, std::vector<std::string>& said) {
  const FoundryPoint& none = r.points.front();
  const FoundryPoint& all = r.points.back();
  said.push_back(fmt::format(
      "Moving {} from {} to {} takes a chip from {:.0f} to {:.0f} USD and from {:.0f} to {:.0f} W, "
      "and {:.0f} wafers become {:.0f}; with half of the volume at each, a chip costs {:.0f} USD.",
      r.spec.chip, r.first, r.second, none.usd_per_chip.typical, all.usd_per_chip.typical,
      none.watts.count(), all.watts.count(), none.first_wafers, all.second_wafers,
      r.points[r.points.size() / 2].usd_per_chip.typical));
  const BreakEven& line = r.break_even;
  const std::string density =
      line.defect_density ? fmt::format("below {:.2f} defects per cm2", *line.defect_density)
                          : "at no defect density";
  const std::string wafer = line.wafer_usd
                                ? fmt::format("below {:.0f} USD a wafer", *line.wafer_usd)
                                : "at no wafer price";
  said.push_back(
      fmt::format("{} beats {} {} at the wafer price assumed for it, or {} at the "
                  "defect density assumed for it.",
                  line.node, line.against, density, wafer));
}

void tell(const BuyOrBuildResult& r, std::vector<std::string>& said) {
  const std::string each =
      fmt::format("An own chip does the work of {:.2f} bought ones", r.bought_per_own);
  if (!r.crossing) {
    said.push_back(each + ", and at typical prices buying is cheaper at any volume.");
    return;
  }
  const std::string late =
      r.crossing_high ? fmt::format("{:.0f} when it is dear and the market cheap", *r.crossing_high)
                      : "never when it is dear and the market cheap";
  said.push_back(
      fmt::format("{}; building pays from {:.0f} chips on ({:.0f} when it is cheap and "
                  "the market dear, {}).",
                  each, *r.crossing, r.crossing_low.value_or(*r.crossing), late));
}

void tell(const SupplyResult& r, std::vector<std::string>& said) {
  if (r.by_date.empty()) return;
  const SupplyPoint& last = r.by_date.back();
  const double all_day = r.all ? r.all->count() / kSecondsADay : 0;
  if (r.all && last.bound_by == "wanted") {
    said.push_back(fmt::format("All {:.0f} chips are there on day {:.0f}, after waiting for {}.",
                               last.deliverable, all_day, r.all_bound_by));
    return;
  }
  said.push_back(fmt::format("{:.0f} chips can be delivered by day {:.0f}: too few {}{}.",
                             last.deliverable, last.date.count() / kSecondsADay, last.bound_by,
                             r.all ? fmt::format("; all are there on day {:.0f}", all_day) : ""));
}

double bad_stacks(const HouseBill& house) {
  double usd = 0;
  for (const CostLine& line : house.lines) {
    if (line.name == "bad stacks") usd += line.usd.typical;
  }
  return usd;
}

void tell(const HousesResult& r, std::vector<std::string>& said) {
  const auto text = [](const HouseBill& h) {
    return fmt::format("{:.0f} USD a chip ({:.0f} to {:.0f}) and {:.0f} days from {}",
                       h.usd_per_chip.typical, h.usd_per_chip.low, h.usd_per_chip.high,
                       h.lead_time.count() / kSecondsADay, h.name);
  };
  const bool one = r.one.usd_per_chip.typical < r.three.usd_per_chip.typical;
  const HouseBill& cheap = one ? r.one : r.three;
  const HouseBill& dear = one ? r.three : r.one;
  const double sooner = (dear.lead_time - cheap.lead_time).count() / kSecondsADay;
  said.push_back(fmt::format("Cheaper is {}: {}, {}; that is {:.0f} USD less and {:.0f} days {}.",
                             cheap.name, text(cheap), text(dear),
                             dear.usd_per_chip.typical - cheap.usd_per_chip.typical,
                             std::abs(sooner), sooner < 0 ? "later" : "sooner"));
  said.push_back(fmt::format("Bad stacks cost {:.0f} USD a chip from {} and {:.0f} from {}.",
                             bad_stacks(r.one), r.one.name, bad_stacks(r.three), r.three.name));
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

CostBlockAnswers answer_cost_blocks(const CostBlocks& blocks,
                                    const std::vector<std::string>& overrides,
                                    const std::filesystem::path& home,
                                    const MeasuredRate& measured) {
  const Prices prices = load_prices(home);
  CostBlockAnswers answers;
  if (blocks.foundries) {
    answers.foundries = compare_foundries(*blocks.foundries, overrides, prices, home);
  }
  if (blocks.buy_or_build) {
    const BuyOrBuildSpec& spec = *blocks.buy_or_build;
    answers.buy_or_build = buy_or_build(spec, server_of(spec.own, overrides, home, measured),
                                        server_of(spec.bought, {}, home, measured), prices);
  }
  if (blocks.supply) {
    const SupplySpec& spec = *blocks.supply;
    answers.supply = plan_supply(spec, load_chip(spec.chip, overrides, home), prices, home);
  }
  if (blocks.houses) {
    answers.houses = compare_houses(*blocks.houses, overrides, prices, home);
  }
  return answers;
}

Json to_json(const CostBlockAnswers& a) {
  Json json;
  if (a.foundries) json["foundries"] = foundries_json(*a.foundries);
  if (a.buy_or_build) json["buy_or_build"] = buy_or_build_json(*a.buy_or_build);
  if (a.supply) json["supply"] = supply_json(*a.supply);
  if (a.houses) json["houses"] = houses_json(*a.houses);
  return json;
}

std::vector<std::string> sentences(const CostBlockAnswers& a) {
  std::vector<std::string> said;
  if (a.foundries) tell(*a.foundries, said);
  if (a.buy_or_build) tell(*a.buy_or_build, said);
  if (a.houses) tell(*a.houses, said);
  if (a.supply) tell(*a.supply, said);
  return said;
}

}  // namespace presil
