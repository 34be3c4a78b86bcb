// The fleet block of a scenario, run: its services become kinds of chip with a price.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "explore/deployment.h"
#include "explore/run_request.h"
#include "fleet/fleet.h"
#include "serving/cluster/spec.h"
#include "serving/load/load.h"
#include "serving/metrics/slo.h"
#include "serving/step_cost.h"

namespace presil {

/// A service of the scenario that was deployed: one pool, whose replicas do all of a request.
struct FleetService {
  std::string name;
  const Deployment* deployment = nullptr;
  const serving::StepCosts* costs = nullptr;
  const serving::StepCosts* draft = nullptr;
  serving::RouterSpec router;
};

struct FleetRequest {
  fleet::FleetSpec spec;
  serving::LoadSpec load;  // what requests ask; when they come is the fleet's to say
  serving::Slo slo;
  std::vector<FleetService> services;  // those that spec.own and spec.bought name, among others
  std::uint64_t seed = 0;
};

/// Own chips are paid at cost, with masks and design once; bought ones at the market price of their
/// chip file. Throws InputError for a service that is not there, whose pool does only part of a
/// request, or whose bought chip has no price; Infeasible as simulate_fleet.
Feasible<fleet::FleetResult> run_fleet(const FleetRequest& request, const Places& places);

/// What a fleet's result says, a sentence each.
std::vector<std::string> sentences(const fleet::FleetResult& result);

}  // namespace presil
