// A service of a scenario on its own: its pools deployed, its steps in tables, ready to run under a
// load at any rate.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "explore/deployment.h"
#include "explore/scenario.h"
#include "explore/step_table.h"
#include "serving/cluster/max_rate.h"
#include "serving/engine/replica.h"
#include "serving/metrics/service_result.h"

namespace presil {

/// A pool ready to serve: what it is, and what its steps cost.
struct DeployedPool {
  PoolSpec spec;
  Deployment deployment;
  std::unique_ptr<StepTable> table;
  std::unique_ptr<StepTable> draft;  // of the model that proposes
};

/// A service under the scenario's load.
class Service {
 public:
  /// All outlive it.
  Service(const Scenario& scenario, const ServiceSpec& spec, const Places& places,
          std::uint64_t seed);

  /// Fills the tables. Why a pool cannot be deployed, when one cannot. Throws InputError and
  /// MissingInput with the names of the service and the pool.
  std::optional<Infeasible> deploy();

  /// `factors`: of each pool's step times; none: as the tables say.
  serving::ServiceResult run(const serving::LoadSpec& load, serving::Observer* listener = nullptr,
                             const std::vector<double>& factors = {}) const;

  /// The highest rate that keeps the promise, looked for from the load's own.
  Feasible<serving::MaxRate> max_rate(const std::vector<double>& factors = {}) const;

  serving::LoadSpec at_rate(double rate) const;

  const std::vector<DeployedPool>& pools() const { return pools_; }
  /// Of this machine: all runs so far at the tables' own times.
  double loop_cpu_s() const { return loop_cpu_s_; }

 private:
  const Scenario& scenario_;
  const ServiceSpec& spec_;
  const Places& places_;
  std::uint64_t seed_;
  std::vector<DeployedPool> pools_;
  mutable double loop_cpu_s_ = 0;
};

}  // namespace presil
