// What a fleet is: so many chips of two kinds, the sites they stand at, who asks them, what fails,
// and how much of it is simulated. The `fleet` block of a scenario.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/fields.h"
#include "base/units.h"
#include "fleet/demand.h"
#include "fleet/failures.h"

namespace presil::fleet {

/// How a site's work is split between its kinds of chip.
enum class Split {
  by_capacity,    // the same share of each kind's highest rate
  cheapest_first  // kinds in order of joules a request, each filled before the next
};

/// Which replicas are awake in an hour.
enum class Awake {
  all,     // all that are up
  by_load  // as many as the hour's load needs, at target_load each
};

/// What becomes of requests that their own site cannot take.
enum class Overflow { turn_away, other_sites };

/// Part of the replicas is out for new software, so many hours a day.
struct Upgrades {
  double share = 0;
  int from_hour = 2;  // local
  int hours = 0;
};

/// What one foundry and the makers of stacks deliver.
struct Ceilings {
  double years = 1;  // that the fleet's chips are built in
  std::optional<double> wafers_per_year;
  std::optional<double> stacks_per_year;
  std::string second_node;  // of the foundry that makes what the first cannot; "": as the first's
};

/// How much is simulated. A section is one sampled pod of every kind, site and hour.
struct Sampling {
  std::int64_t requests = 1'000'000;  // in all points together
  std::int64_t sections = 8;
  double confidence = 0.95;
  double warm_up = 0.25;  // share of each hour's window that is not counted
};

struct FleetSpec {
  std::int64_t chips = 1;
  std::string own;  // names of services; empty: there are none of that kind
  std::string bought;
  std::vector<double> own_shares;  // of the chips: one point each
  double requests_per_day = 1;
  std::vector<Region> regions;
  Split split = Split::by_capacity;
  Awake awake = Awake::all;
  Overflow overflow = Overflow::turn_away;
  double target_load = 0.9;  // of the highest rate that keeps the promise, at most
  double asleep_power = 1;   // of a chip that is not awake, over its idle power
  std::int64_t chips_per_server = 8;
  FailureRecord failures;
  double spare_confidence = 0.999;  // that what is counted on is up, at each site
  Upgrades upgrades;
  Ceilings ceilings;
  Sampling sampling;
  std::int64_t pod_replicas = 8;  // behind one router, unless it is random or by session
};

FleetSpec read_fleet(Fields& f);

}  // namespace presil::fleet
