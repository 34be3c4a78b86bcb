#include "explore/fleet_run.h"

#include <algorithm>

#include <fmt/format.h>

#include "cost/port.h"
#include "cost/price.h"
#include "cost/prices.h"

namespace presil {
namespace {

constexpr std::size_t kMostBodies = 65'536;
constexpr double kMillion = 1e6;

/// What the first requests of the load ask, however short it is cut for the services.
std::vector<serving::Request> bodies_of(const FleetRequest& request, const Places& places) {
  serving::LoadSpec load = request.load;
  load.requests.reset();
  load.duration.reset();
  const auto source = open_load(load, places.home, request.seed);
  std::vector<serving::Request> bodies;
  while (bodies.size() < kMostBodies) {
    const auto next = source->next();
    if (!next) break;
    source->ended(*next, next->arrival);
    bodies.push_back(*next);
  }
  if (bodies.empty()) throw InputError("load: it has no request for the fleet");
  return bodies;
}

/// A chip that is made for us: its parts at cost, its masks, and `design_share` of a design.
fleet::ChipSource made(const ChipFiles& files, const Prices& prices, Band design_share) {
  const ChipPrice parts = price_chip(files, prices);
  fleet::ChipSource source;
  source.usd_per_chip = parts.usd_per_chip;
  source.wafers = parts.wafers;
  source.stacks = parts.stacks_used;
  for (const CostLine& line : price_chip(files, prices, {.volume = 1}).lines) {
    if (line.name == "masks") source.design_usd += line.usd;
    if (line.name == "design") source.design_usd += line.usd * design_share;
  }
  return source;
}

fleet::ChipSource bought(const ChipFiles& files, const Prices& prices) {
  if (!files.chip.price) {
    throw InputError(fmt::format(
        "fleet.bought: {} has no price in its file, so it cannot be bought", files.chip.name));
  }
  fleet::ChipSource source = made(files, prices, {});
  source.usd_per_chip = *files.chip.price;
  source.design_usd = {};
  return source;
}

fleet::ChipSupply supply_of(const RunResult& prepared, bool own, const std::string& second_node,
                            const Prices& prices, const Places& places) {
  const ChipFiles& files = prepared.chip;
  fleet::ChipSupply supply;
  supply.own = own;
  supply.limit = files.chip.power.limit;
  supply.first = own ? made(files, prices, {1, 1, 1}) : bought(files, prices);
  if (own && !second_node.empty()) {
    const PortedChip moved = load_ported(prepared.request.chip, prepared.request.overrides,
                                         places.home, {.node = second_node});
    supply.second = made(moved.files, prices, prices.port);
  }
  return supply;
}

fleet::FleetKind kind_of(const FleetRequest& request, const std::string& name, bool own,
                         const Prices& prices, const Places& places) {
  const auto found = std::find_if(request.services.begin(), request.services.end(),
                                  [&](const FleetService& s) { return s.name == name; });
  if (found == request.services.end()) {
    throw InputError(
        fmt::format("fleet.{}: no service with one pool that does all of a request is "
                    "called '{}'",
                    own ? "own" : "bought", name));
  }
  const Deployment& d = *found->deployment;
  fleet::FleetKind kind;
  kind.name = name;
  kind.replica = {found->costs, found->draft, d.engine, d.idle};
  kind.chips_per_replica = d.chips;
  kind.router = found->router;
  kind.supply = supply_of(d.prepared, own, request.spec.ceilings.second_node, prices, places);
  return kind;
}

}  // namespace

Feasible<fleet::FleetResult> run_fleet(const FleetRequest& request, const Places& places) {
  const Prices prices = load_prices(places.home);
  fleet::FleetInput input;
  const fleet::FleetSpec& spec = request.spec;
  if (!spec.own.empty()) {
    input.kinds.push_back(kind_of(request, spec.own, true, prices, places));
  }
  if (!spec.bought.empty()) {
    input.kinds.push_back(kind_of(request, spec.bought, false, prices, places));
  }
  input.bodies = bodies_of(request, places);
  input.slo = request.slo;
  input.ownership = prices.ownership;
  input.seed = request.seed;
  return fleet::simulate_fleet(spec, input);
}

std::vector<std::string> sentences(const fleet::FleetResult& result) {
  std::vector<std::string> list;
  for (const fleet::KindResult& kind : result.kinds) {
    const fleet::HighestRate& highest = kind.highest;
    list.push_back(fmt::format(
        "A replica of {} keeps the promise up to {:.3g} requests/s, drawing {:.4g} W; beyond, {}.",
        kind.name, highest.rate, highest.watts,
        highest.limit.empty() ? "its queue grows" : "it breaks " + highest.limit));
  }
  for (const fleet::FleetPoint& p : result.points) {
    std::string sentence = fmt::format(
        "With {:.0f} % own chips the fleet draws {:.1f} MW, costs {:.2f} billion USD and {:.3g} "
        "MUSD a day to run, and a million tokens {:.3g} USD ({:.3g} to {:.3g}).",
        100 * p.own_share, p.megawatts, p.bill.capex.typical / 1e9,
        p.bill.opex_per_day.typical / kMillion, p.usd_per_mtoken.typical, p.usd_per_mtoken.low,
        p.usd_per_mtoken.high);
    if (p.turned_away_per_day > 0) {
      sentence += fmt::format(" It turns away {:.1f} % of the requests.",
                              100 * p.turned_away_per_day / p.requests_per_day);
    }
    if (p.supply.second_foundry_share > 0) {
      sentence += fmt::format(" A second foundry makes {:.0f} % of the own chips.",
                              100 * p.supply.second_foundry_share);
    }
    list.push_back(std::move(sentence));
  }
  return list;
}

}  // namespace presil
