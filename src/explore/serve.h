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
  // Of steps drawn from the run:
  StepTableError table_error;
  Charges charges{};  // what their time went to
};

/// Dollars for a million tokens written, with all that stands around the chips.
struct ServicePrice {
  std::vector<CostLine> lines;  // they sum to usd_per_mtoken
  Band usd_per_mtoken;
};

/// A service whose steps all take as long as they may at one end of what is known of them: at the
/// same rate, or at the highest that it then keeps its promise at.
struct ServiceSide {
  std::vector<double> factors;  // of each pool's step times
  serving::LatencySummaries latency;
  double output_throughput = 0;
  bool meets_slo = false;
  std::optional<double> max_rate;  // where it was asked for; 0: none keeps the promise
  std::optional<double> usd_per_mtoken;
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
  std::optional<ServicePrice> price;  // none when no token was written
  ServiceSide if_fast, if_slow;
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
