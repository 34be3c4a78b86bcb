#include "explore/serve.h"

#include <algorithm>
#include <memory>

#include <fmt/format.h>

#include "base/cpu_time.h"
#include "cost/prices.h"
#include "cost/tokens.h"
#include "explore/fleet_run.h"
#include "explore/service.h"
#include "serving/device/simulate.h"

namespace presil {
namespace {

using serving::ServiceResult;

constexpr std::size_t kMostDeviceRequests = 100'000;
/// Steps that tables are held against: of all services, and of each at least. To time one without
/// the table takes up to some seconds.
constexpr std::size_t kMostSamples = 32, kSamplesOfEach = 10;

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
  for (const DeployedPool& d : service.pools()) {
    const std::size_t points = d.table->points() + (d.draft ? d.draft->points() : 0);
    answer.pools.push_back({d.spec, d.deployment, points, {}, {}});
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
    const auto times = time_sample(pool.deployment, steps);
    CHECK(times.has_value(), "a step that ran can be timed");
    low.push_back(times->band.low);
    high.push_back(times->band.high);
    pool.table_error = times->error;
    pool.charges = times->charges;
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
      const DeployedPool& pool = services[i]->pools().front();
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
