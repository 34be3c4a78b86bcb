#include "explore/serve.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <memory>

#include <fmt/format.h>

#include "base/cpu_time.h"
#include "base/interrupt.h"
#include "base/progress.h"
#include "cost/prices.h"
#include "cost/tokens.h"
#include "explore/fleet_run.h"
#include "explore/service_band.h"
#include "explore/step_table.h"
#include "serving/cluster/cluster.h"
#include "serving/device/simulate.h"

namespace presil {
namespace {

using serving::ServiceResult;

constexpr std::size_t kMostDeviceRequests = 100'000;
/// Steps that tables are held against: of all services, and of each at least. To time one without
/// the table takes up to some seconds.
constexpr std::size_t kMostSamples = 32, kSamplesOfEach = 10;

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
  require_decoder(*deployment);
  Deployed pool{spec, std::move(*deployment), nullptr, nullptr};
  pool.table = std::make_unique<StepTable>(pool.deployment, 1 + spec.engine.speculation.tokens);
  if (!named_draft(spec).empty()) {
    auto draft = draft_table(spec, places);
    if (!draft) return tl::unexpected(draft.error());
    pool.draft = std::move(*draft);
  }
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
  explicit StepListener(std::size_t most) : sample_(most) {}

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
  StepSample sample_;
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
      const std::string where = fmt::format("service '{}', pool '{}'", spec_.name, pool.name);
      auto deployed = naming(where, [&] { return deploy_pool(pool, places_); });
      if (!deployed) return deployed.error();
      pools_.push_back(std::move(*deployed));
    }
    return std::nullopt;
  }

  /// `factors`: of each pool's step times; none: as the tables say.
  ServiceResult run(const serving::LoadSpec& load, serving::Observer* listener = nullptr,
                    const std::vector<double>& factors = {}) const {
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
    ServiceResult result = simulate(cluster, *source, listener);
    if (factors.empty()) loop_cpu_s_ += cpu_seconds() - started;
    return result;
  }

  /// The highest rate, from one that a replica of this kind may well reach.
  Feasible<serving::MaxRate> max_rate(const std::vector<double>& factors = {}) const {
    const double start = mean_rate(*scenario_.load, places_.home).count();
    Progress progress("rates tried for " + spec_.name);
    const auto at = [&](double rate) {
      progress.advance(1, fmt::format("{:.3g} /s", rate));
      return run(at_rate(rate), nullptr, factors);
    };
    return serving::find_max_rate(at, start);
  }

  serving::LoadSpec at_rate(double rate) const {
    return with_rate(*scenario_.load, PerSecond(rate));
  }

  const std::vector<Deployed>& pools() const { return pools_; }
  /// Of all runs so far at the tables' own times.
  double loop_cpu_s() const { return loop_cpu_s_; }

 private:
  const Scenario& scenario_;
  const ServiceSpec& spec_;
  const Places& places_;
  std::uint64_t seed_;
  std::vector<Deployed> pools_;
  mutable double loop_cpu_s_ = 0;
};

/// Each pool's chips and power over all tokens that the service writes; none when it writes none.
std::optional<ServicePrice> price_of(const std::vector<PoolAnswer>& pools,
                                     const ServiceResult& result, const Prices& prices) {
  if (result.counts.output_tokens == 0) return std::nullopt;
  ServicePrice price;
  for (std::size_t i = 0; i < pools.size(); ++i) {
    const serving::PoolResult& ran = result.pools[i];
    const ChipFiles& files = pools[i].deployment.prepared.chip;
    const std::int64_t chips = std::int64_t{ran.most_replicas} * ran.chips_per_replica;
    const double watts =
        (ran.step_energy_j + ran.idle_energy_j) / result.duration_s / static_cast<double>(chips);
    const TokenPrice token = usd_per_mtoken(
        {.tokens_per_s = result.output_throughput, .chips = chips, .power = Watts(watts)},
        files.chip, price_chip(files, prices), prices);
    for (CostLine line : token.lines) {
      if (pools.size() > 1) line.name = pools[i].spec.name + ": " + line.name;
      price.lines.push_back(std::move(line));
    }
    price.usd_per_mtoken += token.usd_per_mtoken;
  }
  return price;
}

/// The service with all step times at one end of their bands.
ServiceSide side_of(const Service& service, const ServiceAnswer& answer,
                    const serving::LoadSpec& load, std::vector<double> factors,
                    const Prices& prices) {
  ServiceSide side;
  ServiceResult result;
  if (answer.max_rate) {
    auto highest = service.max_rate(factors);
    if (!highest) return {std::move(factors), {}, 0, false, 0.0, std::nullopt};
    side.max_rate = highest->rate;
    result = std::move(highest->at_rate);
  } else {
    result = service.run(load, nullptr, factors);
  }
  side.factors = std::move(factors);
  side.latency = result.latency;
  side.output_throughput = result.output_throughput;
  side.meets_slo = result.meets_slo();
  if (const auto price = price_of(answer.pools, result, prices)) {
    side.usd_per_mtoken = price->usd_per_mtoken.typical;
  }
  return side;
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
  StepListener listener(std::max(kMostSamples / scenario.services.size(), kSamplesOfEach));
  answer.result = service.run(load, &listener);
  if (answer.rate == 0 && load.rate) answer.rate = load.rate->count();
  if (answer.rate == 0 && answer.result.duration_s > 0) {
    answer.rate = static_cast<double>(answer.result.counts.requests) / answer.result.duration_s;
  }
  std::vector<double> low, high;
  for (std::size_t i = 0; i < answer.pools.size(); ++i) {
    PoolAnswer& pool = answer.pools[i];
    const std::vector<SampledStep> steps = listener.steps_of(answer.result.pools[i]);
    const TimeBand band = time_band(pool.deployment, steps);
    low.push_back(band.low);
    high.push_back(band.high);
    if (!named_draft(pool.spec).empty()) continue;  // its steps are two models'
    auto error = step_table_error(pool.deployment, steps);
    CHECK(error.has_value(), "a step that ran can be timed");
    pool.table_error = *error;
  }
  const Prices prices = load_prices(places.home);
  answer.price = price_of(answer.pools, answer.result, prices);
  answer.if_fast = side_of(service, answer, load, std::move(low), prices);
  answer.if_slow = side_of(service, answer, load, std::move(high), prices);
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

/// Finds what is wrong with the load or the price list before minutes are spent on step tables.
void check_inputs(const Scenario& scenario, const Places& places, std::uint64_t seed) {
  if (!scenario.services.empty() || scenario.fleet) load_prices(places.home);
  if (!scenario.load) return;
  if (scenario.find_max_rate && scenario.load->closed_loop) {
    throw InputError(
        "find_max_rate: users of a closed loop wait for their answers: there is no rate to raise");
  }
  if (scenario.find_max_rate) mean_rate(*scenario.load, places.home);
  if (open_load(*scenario.load, places.home, seed)->next_arrival() == kLongestService) {
    throw InputError("load: no request comes within load.duration");
  }
}

}  // namespace

ServeAnswer serve(const Scenario& scenario, const Places& places, std::uint64_t seed) {
  ServeAnswer answer;
  answer.scenario = scenario;
  check_inputs(scenario, places, seed);
  std::vector<std::unique_ptr<Service>> services;
  for (const ServiceSpec& spec : scenario.services) {
    services.push_back(std::make_unique<Service>(scenario, spec, places, seed));
    const double started = cpu_seconds();
    auto no = services.back()->deploy();
    answer.table_cpu_s += cpu_seconds() - started;
    answer.services.emplace_back();
    answer.services.back().name = spec.name;
    answer.services.back().no = std::move(no);
  }
  for (std::size_t i = 0; i < services.size(); ++i) {
    if (!answer.services[i].no) {
      answer.services[i] = answer_service(scenario, *services[i], scenario.services[i], places);
      answer.loop_cpu_s += services[i]->loop_cpu_s();
    }
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
