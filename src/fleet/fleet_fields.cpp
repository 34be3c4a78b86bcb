#include <fmt/format.h>

#include "fleet/spec.h"

namespace presil::fleet {
namespace {

constexpr Choice<Split> kSplits[] = {
    {"by_capacity", Split::by_capacity},
    {"cheapest_first", Split::cheapest_first},
};
constexpr Choice<Awake> kAwake[] = {{"all", Awake::all}, {"by_load", Awake::by_load}};
constexpr Choice<Overflow> kOverflows[] = {
    {"turn_away", Overflow::turn_away},
    {"other_sites", Overflow::other_sites},
};
constexpr Range kShare{0, 1};
constexpr std::ptrdiff_t kMostPods = 10'000;  // of a kind that are held in memory at once

Upgrades read_upgrades(Fields& f) {
  Upgrades u;
  u.share = f.number("share", "of the replicas that are out at a time", {0, 0.9});
  u.from_hour = static_cast<int>(f.integer_or("from_hour", "local time", 2, {0, 23}));
  u.hours = static_cast<int>(f.integer("hours", "of a day that upgrades take", {1, 24}));
  return u;
}

Ceilings read_ceilings(Fields& f) {
  Ceilings c;
  c.years = f.number_or("years", "that the fleet is built in", 1, {0.01, 100});
  if (f.has("wafers_per_year") || f.describing()) {
    c.wafers_per_year =
        f.number("wafers_per_year", "of own chips, from the first foundry", {1, 1e9});
  }
  if (f.has("stacks_per_year") || f.describing()) {
    c.stacks_per_year = f.number("stacks_per_year", "memory stacks, for all chips", {1, 1e12});
  }
  c.second_node = f.text_or("second_node", "a node: of the foundry that makes the others", "");
  return c;
}

Sampling read_sampling(Fields& f) {
  Sampling s;
  s.requests = f.integer_or("requests", "simulated, all points together", s.requests, {1000, 1e9});
  s.sections = f.integer_or("sections", "independent samples of the whole", s.sections, {2, 1000});
  s.confidence = f.number_or("confidence", "of the intervals", s.confidence, {0.5, 0.9999});
  s.warm_up = f.number_or("warm_up", "share of a window not counted", s.warm_up, {0, 0.9});
  return s;
}

}  // namespace

FleetSpec read_fleet(Fields& f) {
  FleetSpec s;
  s.chips = f.integer("chips", "of both kinds together", {1, 1e8});
  s.own = f.text_or("own", "service of the own chips", "");
  s.bought = f.text_or("bought", "service of the bought chips", "");
  f.require(!s.own.empty() || !s.bought.empty(), "own", "expected a service here or at bought");
  s.own_shares = f.numbers_or_none("own_share", "of the chips; one point each", kShare);
  if (s.own_shares.empty()) s.own_shares = {s.own.empty() ? 0.0 : 1.0};
  f.require(s.own_shares.size() <= 101, "own_share", "expected at most 101 points");
  for (const double x : s.own_shares) {
    f.require((x == 0 || !s.own.empty()) && (x == 1 || !s.bought.empty()), "own_share",
              fmt::format("{:g} needs services of both kinds", x));
  }
  s.requests_per_day = f.number("requests_per_day", "of all regions", {1, 1e15});
  s.regions = read_regions(f);
  s.split = f.choice_or<Split>("split", "of work between kinds", kSplits, s.split);
  s.awake = f.choice_or<Awake>("awake", "replicas of an hour", kAwake, s.awake);
  s.overflow = f.choice_or<Overflow>("overflow", "what a site cannot take", kOverflows, s.overflow);
  s.target_load =
      f.number_or("target_load", "of the highest rate that keeps the slo", 0.9, {0.01, 1});
  s.asleep_power = f.number_or("asleep_power", "of chips not awake, over idle power", 1, kShare);
  s.chips_per_server = f.integer_or("chips_per_server", "that go out together", 8, {1, 4096});
  s.failures = f.map("failures", "a record of a fleet that was watched", read_failures);
  s.spare_confidence =
      f.number_or("spare_confidence", "that what is counted on is up", 0.999, {0.5, 0.999999});
  s.upgrades = f.maybe_map("upgrades", "of software, rolling", read_upgrades).value_or(Upgrades{});
  s.ceilings = f.maybe_map("ceilings", "what can be bought", read_ceilings).value_or(Ceilings{});
  s.sampling = f.maybe_map("sampling", "how much is simulated", read_sampling).value_or(Sampling{});
  s.pod_replicas = f.integer_or("pod_replicas", "behind one router, unless it is random or session",
                                s.pod_replicas, {1, 256});
  f.require(s.sampling.sections * std::ssize(s.regions) <= kMostPods, "sampling",
            fmt::format("expected at most {} sections x regions", kMostPods));
  return s;
}

}  // namespace presil::fleet
