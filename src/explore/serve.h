// A scenario end to end: its services are deployed, their steps timed, their requests served, and
// what that costs worked out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "cost/price.h"
#include "explore/deployment.h"
#include "explore/device_service.h"
#include "explore/scenario.h"
#include "explore/step_sample.h"
#include "fleet/fleet.h"
#include "serving/cluster/max_rate.h"
#include "serving/metrics/service_result.h"

namespace presil {

/// Replicas of one kind as they were deployed.
struct PoolAnswer {
  PoolSpec spec;
  Deployment deployment;
  std::size_t table_points = 0;  // steps that were timed for its table
  StepTableError table_error;    // on steps of the run; no samples where a draft proposes
};

/// One service under the load.
struct ServiceAnswer {
  std::string name;
  std::optional<Infeasible> no;  // it cannot be deployed, or keeps its promise at no rate
  // Requests a second that arrive in `result`: the load's own rate, or the highest that keeps the
  // promise where that was asked for.
  double rate = 0;
  serving::ServiceResult result;
  std::optional<serving::MaxRate> max_rate;
  std::vector<PoolAnswer> pools;
  std::vector<CostLine> price_lines;   // USD for a million tokens written; sum to usd_per_mtoken
  std::optional<Band> usd_per_mtoken;  // none when no token was written
};

struct ServeAnswer {
  Scenario scenario;
  std::vector<ServiceAnswer> services;
  CostBlockAnswers cost;  // of the questions of money
  std::optional<DeviceAnswer> device;
  std::optional<fleet::FleetResult> fleet;
  std::optional<Infeasible> no_fleet;  // no promise that its chips keep
  double table_cpu_s = 0;              // of this machine: filling step tables
  double loop_cpu_s = 0;               // and serving requests
};

/// Throws InputError or MissingInput for what is wrong with the scenario or what it names.
ServeAnswer serve(const Scenario& scenario, const Places& places, std::uint64_t seed);

/// What the services' results say, a sentence each.
std::vector<std::string> sentences(const ServeAnswer& answer);

}  // namespace presil
