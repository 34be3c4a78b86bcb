#include "explore/serve.h"

#include <algorithm>
#include <cmath>
#include <memory>

#include <fmt/format.h>

#include "base/cpu_time.h"
#include "base/interrupt.h"
#include "base/progress.h"
#include "cost/prices.h"
#include "cost/tokens.h"
#include "explore/fleet_run.h"
#include "explore/step_table.h"
#include "serving/cluster/cluster.h"
#include "serving/device/simulate.h"

namespace presil {
namespace {

using serving::ServiceResult;

constexpr std::size_t kMostDeviceRequests = 100'000;
constexpr std::size_t kMostSamples = 64;  // steps of a run that its tables are held against

/// A pool ready to serve: what it is, and what its steps cost.
struct Deployed {
  PoolSpec spec;
  Deployment deployment;
  std::unique_ptr<StepTable> table;
  std::unique_ptr<StepTable> draft;  // of the model that proposes
};

std::string named_draft(const PoolSpec& pool) {
  return pool.engine.speculation.tokens > 0 ? pool.engine.speculation.draft : "";
}

/// The draft model beside the model it proposes for: on the same chips, in the same way.
Feasible<std::unique_ptr<StepTable>> draft_table(const PoolSpec& pool, const Places& places) {
  DeploymentRequest request{pool.design, pool.engine};
  request.design.model = named_draft(pool);
  request.engine.speculation = {};
  const auto deployment = deploy(request, places);
  if (!deployment) return tl::unexpected(deployment.error());
  return std::make_unique<StepTable>(*deployment);
}

Feasible<Deployed> deploy_pool(const PoolSpec& spec, const Places& places) {
  auto deployment = deploy({spec.design, spec.engine}, places);
  if (!deployment) return tl::unexpected(deployment.error());
  Deployed pool{spec, std::move(*deployment), nullptr, nullptr};
  pool.table = std::make_unique<StepTable>(pool.deployment, 1 + spec.engine.speculation.tokens);
  if (!named_draft(spec).empty()) {
    auto draft = draft_table(spec, places);
    if (!draft) return tl::unexpected(draft.error());
    pool.draft = std::move(*draft);
  }
  return pool;
}

serving::Pool as_pool(const Deployed& d) {
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

/// Keeps some of a run's steps, with their sequences.
class StepListener : public serving::Observer {
 public:
  void finished(const serving::RequestRecord&) override {}
  void between_tokens(Nanoseconds, std::int64_t, int) override {}
  bool wants_sequences() override { return sample_.wants(); }
  void stepped(const serving::StepRecord& record) override { sample_.keep(record); }

  /// Those that `pool` ran.
  std::vector<SampledStep> steps_of(const serving::PoolResult& pool) const {
    std::vector<SampledStep> steps;
    for (const SampledStep& s : sample_.steps()) {
      const int at = s.replica - pool.first_replica;
      if (0 <= at && at < pool.replica_count) steps.push_back(s);
    }
    return steps;
  }

 private:
  StepSample sample_{kMostSamples};
};

/// A service whose pools are deployed, under the scenario's load at any rate.
class Service {
 public:
  Service(const Scenario& scenario, const ServiceSpec& spec, const Places& places,
          std::uint64_t seed)
      : scenario_(scenario), spec_(spec), places_(places), seed_(seed) {}

  std::optional<Infeasible> deploy() {
    for (const PoolSpec& pool : spec_.pools) {
      check_interrupt();
      auto deployed = deploy_pool(pool, places_);
      if (!deployed) return deployed.error();
      pools_.push_back(std::move(*deployed));
    }
    return std::nullopt;
  }

  ServiceResult run(const serving::LoadSpec& load, serving::Observer* listener = nullptr) const {
    check_interrupt();
    serving::Cluster cluster;
    for (const Deployed& pool : pools_) cluster.pools.push_back(as_pool(pool));
    cluster.spec = spec_.cluster;
    cluster.classes = scenario_.classes;
    cluster.slo = scenario_.slo;
    cluster.seed = seed_;
    cluster.warm_up = to_nanoseconds(load.warm_up);
    const auto source = open_load(load, places_.home, seed_);
    const double started = cpu_seconds();
    ServiceResult result = simulate(cluster, *source, listener);
    loop_cpu_s_ += cpu_seconds() - started;
    return result;
  }

  /// The highest rate, from one that a replica of this kind may well reach.
  Feasible<serving::MaxRate> max_rate() const {
    const double start = mean_rate(*scenario_.load, places_.home).count();
    return serving::find_max_rate([&](double rate) { return run(at_rate(rate)); }, start);
  }

  serving::LoadSpec at_rate(double rate) const {
    return with_rate(*scenario_.load, PerSecond(rate));
  }

  const std::vector<Deployed>& pools() const { return pools_; }
  /// Of all runs so far.
  double loop_cpu_s() const { return loop_cpu_s_; }

 private:
  const Scenario& scenario_;
  const ServiceSpec& spec_;
  const Places& places_;
  std::uint64_t seed_;
  std::vector<Deployed> pools_;
  mutable double loop_cpu_s_ = 0;
};

/// Each pool's chips and power over all tokens that the service writes.
void price(ServiceAnswer& answer, const Places& places) {
  if (answer.result.counts.output_tokens == 0) return;
  const Prices prices = load_prices(places.home);
  Band total;
  for (std::size_t i = 0; i < answer.pools.size(); ++i) {
    const PoolAnswer& pool = answer.pools[i];
    const serving::PoolResult& ran = answer.result.pools[i];
    const ChipFiles& files = pool.deployment.prepared.chip;
    const std::int64_t chips = std::int64_t{ran.most_replicas} * ran.chips_per_replica;
    const double watts = (ran.step_energy_j + ran.idle_energy_j) / answer.result.duration_s /
                         static_cast<double>(chips);
    const TokenPrice token = usd_per_mtoken(
        {.tokens_per_s = answer.result.output_throughput, .chips = chips, .power = Watts(watts)},
        files.chip, price_chip(files, prices), prices);
    for (CostLine line : token.lines) {
      if (answer.pools.size() > 1) line.name = pool.spec.name + ": " + line.name;
      answer.price_lines.push_back(std::move(line));
    }
    total += token.usd_per_mtoken;
  }
  answer.usd_per_mtoken = total;
}

ServiceAnswer answer_service(const Scenario& scenario, const Service& service,
                             const ServiceSpec& spec, const Places& places) {
  ServiceAnswer answer;
  answer.name = spec.name;
  for (const Deployed& d : service.pools()) {
    answer.pools.push_back({d.spec, d.deployment, d.table->points(), {}});
  }
  serving::LoadSpec load = *scenario.load;
  if (scenario.find_max_rate) {
    auto highest = service.max_rate();
    if (!highest) {
      answer.no = highest.error();
    } else {
      load = service.at_rate(highest->rate);
      answer.rate = highest->rate;
      answer.max_rate = std::move(*highest);
    }
  }
  StepListener listener;
  answer.result = service.run(load, &listener);
  if (answer.rate == 0 && answer.result.duration_s > 0) {
    answer.rate = static_cast<double>(answer.result.counts.requests) / answer.result.duration_s;
  }
  for (std::size_t i = 0; i < answer.pools.size(); ++i) {
    PoolAnswer& pool = answer.pools[i];
    if (!named_draft(pool.spec).empty()) continue;  // its steps are two models'
    auto error = step_table_error(pool.deployment, listener.steps_of(answer.result.pools[i]));
    CHECK(error.has_value(), "a step that ran can be timed");
    pool.table_error = *error;
  }
  price(answer, places);
  return answer;
}

/// What a service of the scenario writes, for the questions of money.
TokenRate measured_rate(const ServeAnswer& answer, const std::string& name) {
  for (const ServiceAnswer& s : answer.services) {
    if (s.name != name) continue;
    if (s.pools.size() != 1 || s.result.counts.output_tokens == 0) {
      throw InputError(
          fmt::format("service '{}': a rate of one chip needs a service of one pool "
                      "that writes tokens",
                      name));
    }
    const serving::PoolResult& ran = s.result.pools.front();
    const std::int64_t chips = std::int64_t{ran.most_replicas} * ran.chips_per_replica;
    return {.tokens_per_s = s.result.output_throughput,
            .chips = chips,
            .power = Watts(s.result.power_w / static_cast<double>(chips))};
  }
  std::vector<std::string> names;
  for (const ServiceAnswer& s : answer.services) names.push_back(s.name);
  const std::string near = nearest(name, names);
  throw InputError(fmt::format("the scenario has no service '{}'{}", name,
                               near.empty() ? "" : fmt::format("; did you mean '{}'?", near)));
}

}  // namespace

ServeAnswer serve(const Scenario& scenario, const Places& places, std::uint64_t seed) {
  ServeAnswer answer;
  answer.scenario = scenario;
  std::vector<std::unique_ptr<Service>> services;
  Progress progress("serving", 2 * std::ssize(scenario.services));
  for (const ServiceSpec& spec : scenario.services) {
    services.push_back(std::make_unique<Service>(scenario, spec, places, seed));
    const double started = cpu_seconds();
    auto no = services.back()->deploy();
    answer.table_cpu_s += cpu_seconds() - started;
    answer.services.emplace_back();
    answer.services.back().name = spec.name;
    answer.services.back().no = std::move(no);
    progress.advance(1, spec.name);
  }
  for (std::size_t i = 0; i < services.size(); ++i) {
    if (!answer.services[i].no) {
      answer.services[i] = answer_service(scenario, *services[i], scenario.services[i], places);
      answer.loop_cpu_s += services[i]->loop_cpu_s();
    }
    progress.advance(1, scenario.services[i].name);
  }
  answer.cost = answer_cost_blocks(scenario.cost, {}, places.home, [&](const std::string& name) {
    return measured_rate(answer, name);
  });
  if (scenario.device) {
    std::vector<serving::Request> requests;
    if (scenario.load) {
      const auto source = open_load(*scenario.load, places.home, seed);
      requests = serving::take_requests(*source, kMostDeviceRequests);
    }
    answer.device = answer_device(*scenario.device, requests, places, seed);
  }
  if (scenario.fleet) {
    FleetRequest request{*scenario.fleet, *scenario.load, scenario.slo, {}, seed};
    for (std::size_t i = 0; i < services.size(); ++i) {
      if (answer.services[i].no) continue;
      const Deployed& pool = services[i]->pools().front();
      request.services.push_back({scenario.services[i].name, &pool.deployment, pool.table.get(),
                                  pool.draft.get(), scenario.services[i].cluster.router});
    }
    auto fleet = run_fleet(request, places);
    if (fleet) {
      answer.fleet = std::move(*fleet);
    } else {
      answer.no_fleet = fleet.error();
    }
  }
  return answer;
}

}  // namespace presil
