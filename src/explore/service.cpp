#include "explore/service.h"

#include <deque>

#include <fmt/format.h>

#include "base/cpu_time.h"
#include "base/interrupt.h"
#include "base/progress.h"
#include "explore/scaled_costs.h"
#include "serving/cluster/cluster.h"

namespace presil {
namespace {

Feasible<DeployedPool> deploy_pool(const PoolSpec& spec, const Places& places) {
  auto deployment = deploy({spec.design, spec.engine}, places);
  if (!deployment) return tl::unexpected(deployment.error());
  require_decoder(*deployment);
  DeployedPool pool{spec, std::move(*deployment), nullptr, nullptr};
  pool.table = std::make_unique<StepTable>(pool.deployment, 1 + spec.engine.speculation.tokens);
  if (const auto& draft = pool.deployment.draft) pool.draft = std::make_unique<StepTable>(*draft);
  return pool;
}

/// `work()`, whose complaints begin with `where`.
template <class F>
auto naming(const std::string& where, F work) {
  try {
    return work();
  } catch (const InputError& e) {
    std::vector<Diagnostic> complaints = e.diagnostics();
    for (Diagnostic& d : complaints) d.message = fmt::format("{}: {}", where, d.message);
    throw InputError(std::move(complaints));
  } catch (const MissingInput& e) {
    throw MissingInput(fmt::format("{}: {}", where, e.what()));
  }
}

serving::Pool as_pool(const DeployedPool& d) {
  serving::Pool pool;
  pool.name = d.spec.name;
  pool.engine = d.deployment.engine;
  pool.costs = d.table.get();
  pool.draft = d.draft.get();
  pool.replicas = static_cast<int>(d.spec.replicas);
  pool.chips_per_replica = static_cast<int>(d.deployment.chips);
  pool.idle_watts = d.deployment.idle.count();
  pool.peak_flops = d.deployment.peak_flops.count();
  pool.kv_bytes_per_token = d.deployment.cache_bytes_per_token;
  pool.weight = d.deployment.peak_flops.count();
  return pool;
}

}  // namespace

Service::Service(const Scenario& scenario, const ServiceSpec& spec, const Places& places,
                 std::uint64_t seed)
    : scenario_(scenario), spec_(spec), places_(places), seed_(seed) {}

std::optional<Infeasible> Service::deploy() {
  for (const PoolSpec& pool : spec_.pools) {
    check_interrupt();
    const std::string where = fmt::format("service '{}', pool '{}'", spec_.name, pool.name);
    auto deployed = naming(where, [&] { return deploy_pool(pool, places_); });
    if (!deployed) return deployed.error();
    pools_.push_back(std::move(*deployed));
  }
  return std::nullopt;
}

serving::ServiceResult Service::run(const serving::LoadSpec& load, serving::Observer* listener,
                                    const std::vector<double>& factors) const {
  check_interrupt();
  serving::Cluster cluster;
  std::deque<ScaledCosts> scaled;
  for (std::size_t i = 0; i < pools_.size(); ++i) {
    cluster.pools.push_back(as_pool(pools_[i]));
    if (factors.empty()) continue;
    serving::Pool& pool = cluster.pools.back();
    pool.costs = &scaled.emplace_back(*pool.costs, factors[i]);
    if (pool.draft != nullptr) pool.draft = &scaled.emplace_back(*pool.draft, factors[i]);
  }
  cluster.spec = spec_.cluster;
  cluster.classes = scenario_.classes;
  cluster.slo = scenario_.slo;
  cluster.seed = seed_;
  cluster.warm_up = to_nanoseconds(load.warm_up);
  const auto source = open_load(load, places_.home, seed_);
  const double started = cpu_seconds();
  serving::ServiceResult result = simulate(cluster, *source, listener);
  if (factors.empty()) loop_cpu_s_ += cpu_seconds() - started;
  return result;
}

Feasible<serving::MaxRate> Service::max_rate(const std::vector<double>& factors) const {
  const double start = mean_rate(*scenario_.load, places_.home).count();
  Progress progress("rates tried for " + spec_.name);
  const auto at = [&](double rate) {
    progress.advance(1, fmt::format("{:.3g} /s", rate));
    return run(at_rate(rate), nullptr, factors);
  };
  return serving::find_max_rate(at, start);
}

serving::LoadSpec Service::at_rate(double rate) const {
  return with_rate(*scenario_.load, PerSecond(rate));
}

}  // namespace presil
