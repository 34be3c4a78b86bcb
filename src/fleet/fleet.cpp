#include "fleet/fleet.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/draws.h"
#include "base/interrupt.h"
#include "base/parallel.h"
#include "base/progress.h"
#include "fleet/day.h"

namespace presil::fleet {
namespace {

constexpr double kTrialRequests = 400;      // of a window, to find the highest rate
constexpr double kLeastRequests = 10;       // of a window, on average
constexpr double kDoublingRequests = 1000;  // of a window of a single replica's pod
enum Stream : std::uint64_t { kTrials, kPods, kDoublings };

/// Under these the replicas of a pod are independent, so that one is as good as many.
bool is_independent(const serving::RouterSpec& router) {
  return router.routing == serving::Routing::random || router.routing == serving::Routing::session;
}

void check_promise(const serving::Slo& slo) {
  if (slo.limits.empty()) {
    throw InputError("slo: a fleet needs a promise such as \"p99_ttft<=2s\"");
  }
  for (const serving::SloLimit& limit : slo.limits) {
    if (limit.latency == serving::Latency::itl) {
      throw InputError(
          fmt::format("slo: {}: a fleet's promise is on ttft, tpot and e2e", limit.text));
    }
  }
}

class Simulation {
 public:
  Simulation(const FleetSpec& spec, const FleetInput& input)
      : spec_(spec), input_(input), overhead_(power_overhead(input.ownership)) {
    for (const FleetKind& kind : input.kinds) {
      pod_sizes_.push_back(is_independent(kind.router) ? 1 : spec.pod_replicas);
    }
  }

  Feasible<FleetResult> run() {
    FleetResult result;
    result.power_overhead = overhead_;
    result.confidence = spec_.sampling.confidence;
    result.sections = spec_.sampling.sections;
    for (std::size_t k = 0; k < input_.kinds.size(); ++k) {
      result.kinds.push_back(find_rate(k));
      const KindResult& kind = result.kinds.back();
      if (kind.highest.rate <= 0) {
        return tl::unexpected(Infeasible{
            fmt::format("{} keeps {} at no rate: even a single request at a time takes {:.3g} s",
                        kind.name, kind.highest.limit, kind.highest.limit_value_s),
            "a promise that it can keep, more chips a replica, or a shorter prompt"});
      }
      result.simulated_requests += kind.highest.requests;
    }
    highest_ = result.kinds;
    const double requests_per_window = window_size();
    for (const double own_share : spec_.own_shares) {
      FleetPoint point = simulate_point(own_share, requests_per_window);
      if (point.tokens_per_day.value <= 0) {
        return tl::unexpected(
            Infeasible{fmt::format("at an own share of {:g} no request is served", own_share),
                       "more chips, or a higher cap of the sites' power"});
      }
      result.simulated_requests += point.simulated_requests;
      result.points.push_back(std::move(point));
    }
    result.doublings = double_pods(result.simulated_requests);
    return result;
  }

 private:
  PodRun pod_run(std::size_t k) const {
    const FleetKind& kind = input_.kinds[k];
    PodRun run;
    run.replica = kind.replica;
    run.replicas = pod_sizes_[k];
    run.router = kind.router;
    run.bodies = input_.bodies;
    run.slo = &input_.slo;
    run.warm_up = spec_.sampling.warm_up;
    return run;
  }

  Placement placement(std::size_t k) const {
    return {input_.kinds[k].chips_per_replica, spec_.chips_per_server};
  }

  KindResult find_rate(std::size_t k) const {
    PodRun run = pod_run(k);
    run.requests_per_window = kTrialRequests * static_cast<double>(run.replicas);
    run.seed = Draws(input_.seed, kTrials, k).bits();
    KindResult result;
    result.name = input_.kinds[k].name;
    result.own = input_.kinds[k].supply.own;
    result.highest = find_highest_rate(run, spec_.sampling.sections);
    result.availability = availability(spec_.failures, placement(k));
    result.mtbf_s = mtbf(spec_.failures, spec_.chips).count();
    return result;
  }

  std::int64_t chips_of(std::size_t k, double own_share) const {
    const auto own = static_cast<std::int64_t>(own_share * static_cast<double>(spec_.chips) + 0.5);
    return input_.kinds[k].supply.own ? own : spec_.chips - own;
  }

  /// Requests of a window, so that all points together simulate what they may.
  double window_size() const {
    std::int64_t pods = 0;
    for (const double own_share : spec_.own_shares) {
      for (std::size_t k = 0; k < input_.kinds.size(); ++k) {
        if (chips_of(k, own_share) > 0) pods += spec_.sampling.sections;
      }
    }
    const auto windows = pods * std::ssize(spec_.regions) * (kHours + 1);
    const double size = static_cast<double>(spec_.sampling.requests) / static_cast<double>(windows);
    if (size < kLeastRequests) {
      throw InputError(
          fmt::format("fleet.sampling.requests: {} are {:.2g} a window; expected {} at "
                      "least, or fewer sections, regions or points",
                      spec_.sampling.requests, size, kLeastRequests));
    }
    return size;
  }

  std::vector<Kind> kinds_of(double own_share) const {
    std::vector<Kind> kinds;
    for (std::size_t k = 0; k < input_.kinds.size(); ++k) {
      const FleetKind& kind = input_.kinds[k];
      const double idle = kind.replica.idle.count() / static_cast<double>(kind.chips_per_replica);
      kinds.push_back({chips_of(k, own_share), placement(k), highest_[k].highest.rate,
                       highest_[k].highest.watts, highest_[k].highest.most_watts,
                       idle * spec_.asleep_power});
    }
    return kinds;
  }

  FleetPoint simulate_point(double own_share, double requests_per_window) {
    const std::vector<Kind> kinds = kinds_of(own_share);
    const std::vector<Site> sites = make_plan(spec_, kinds, overhead_);
    if (own_share == spec_.own_shares[spec_.own_shares.size() / 2]) middle_ = sites;
    const auto sections = static_cast<std::size_t>(spec_.sampling.sections);
    PodSamples samples(kinds.size(), sites.size(), sections);
    Progress progress(fmt::format("days of pods at {:.0f} % own chips", 100 * own_share),
                      static_cast<std::int64_t>(samples.size()));
    parallel_each(samples.size(), [&](std::size_t i) {
      const std::size_t k = i / (sites.size() * sections);
      std::array<double, kHours> rates;
      for (int h = 0; h < kHours; ++h) {
        check_interrupt();
        rates[h] = sites[i / sections % sites.size()].hours[h].kinds[k].rate;
      }
      PodRun run = pod_run(k);
      run.rates = rates;
      run.requests_per_window = requests_per_window;
      run.seed = Draws(input_.seed, kPods, i).bits();
      samples[i] = simulate_pod(run);
      progress.advance();
    });
    FleetPoint point = measure_day(spec_, input_, kinds, sites, samples, pod_sizes_);
    point.own_share = own_share;
    pay(point);
    return point;
  }

  void pay(FleetPoint& point) const {
    std::vector<ChipCount> counts;
    for (std::size_t k = 0; k < input_.kinds.size(); ++k) {
      const ChipSupply& supply = input_.kinds[k].supply;
      counts.push_back({&supply, point.kinds[k].chips});
      point.provisioned_megawatts +=
          static_cast<double>(point.kinds[k].chips) * supply.limit.count() * overhead_ / 1e6;
    }
    point.supply = supply_need(counts, spec_.ceilings);
    point.bill =
        make_bill(counts, point.supply, input_.ownership, spec_.failures, point.chip_watts.value);
    if (point.tokens_per_day.value > 0) {
      point.usd_per_mtoken = point.bill.per_day() * (1e6 / point.tokens_per_day.value);
    }
  }

  /// At the middle point, each kind where a replica is asked most.
  std::vector<PodDoubling> double_pods(std::int64_t& simulated) const {
    std::vector<PodDoubling> doublings;
    for (std::size_t k = 0; k < input_.kinds.size(); ++k) {
      PodDoubling doubling;
      doubling.kind = input_.kinds[k].name;
      doubling.own_share = spec_.own_shares[spec_.own_shares.size() / 2];
      doubling.replicas = pod_sizes_[k];
      for (const Site& site : middle_) {
        for (int h = 0; h < kHours; ++h) {
          if (site.hours[h].kinds[k].rate <= doubling.rate) continue;
          doubling.rate = site.hours[h].kinds[k].rate;
          doubling.utc_hour = h;
        }
      }
      if (doubling.rate <= 0) continue;
      doubling.once = answer(k, doubling.rate, pod_sizes_[k], simulated);
      doubling.twice = answer(k, doubling.rate, 2 * pod_sizes_[k], simulated);
      doublings.push_back(std::move(doubling));
    }
    return doublings;
  }

  PodDoubling::Answer answer(std::size_t k, double rate, std::int64_t replicas,
                             std::int64_t& simulated) const {
    const auto sections = static_cast<std::size_t>(spec_.sampling.sections);
    std::vector<PodResult> pods(sections);
    parallel_each(sections, [&](std::size_t j) {
      PodRun run = pod_run(k);
      run.replicas = replicas;
      run.rates = {&rate, 1};
      run.requests_per_window = kDoublingRequests * static_cast<double>(replicas);
      const auto number = static_cast<std::uint64_t>(replicas) * sections + j;
      run.seed = Draws(input_.seed, kDoublings, number).bits();
      pods[j] = simulate_pod(run);
    });
    WindowSums all;
    std::vector<double> ttft, tpot, kept, watts;
    for (PodResult& pod : pods) {
      WindowSums& sums = pod.windows[0];
      simulated += pod.arrived;
      const double seconds = sums.seconds * static_cast<double>(replicas);
      kept.push_back(static_cast<double>(sums.kept) /
                     static_cast<double>(std::max<std::int64_t>(1, sums.finished + sums.refused)));
      watts.push_back(sums.joules / seconds);
      all.ttft_s.insert(all.ttft_s.end(), sums.ttft_s.begin(), sums.ttft_s.end());
      all.tpot_s.insert(all.tpot_s.end(), sums.tpot_s.begin(), sums.tpot_s.end());
      ttft.push_back(p99(sums.ttft_s));
      tpot.push_back(p99(sums.tpot_s));
    }
    const double level = spec_.sampling.confidence;
    return {estimate(p99(all.ttft_s), ttft, level), estimate(p99(all.tpot_s), tpot, level),
            mean_estimate(kept, level), mean_estimate(watts, level)};
  }

  static double p99(std::span<const float> values) {
    std::vector<Weighted> equal;
    for (const float v : values) equal.push_back({v, 1});
    return weighted_quantile(equal, 0.99);
  }

  const FleetSpec& spec_;
  const FleetInput& input_;
  double overhead_;
  std::vector<std::int64_t> pod_sizes_;  // of each kind
  std::vector<KindResult> highest_;      // of each kind
  std::vector<Site> middle_;             // the plan of the point in the middle of the sweep
};

}  // namespace

Feasible<FleetResult> simulate_fleet(const FleetSpec& spec, const FleetInput& input) {
  CHECK(!input.kinds.empty() && !input.bodies.empty(), "a fleet has chips and is asked something");
  check_promise(input.slo);
  return Simulation(spec, input).run();
}

}  // namespace presil::fleet
