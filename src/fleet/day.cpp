#include "fleet/day.h"

#include <algorithm>

namespace presil::fleet {
namespace {

constexpr double kSecondsPerHour = 3600;
constexpr double kWattsPerMegawatt = 1e6;

double count(std::int64_t n) {
  return static_cast<double>(n);
}

/// Rates of the whole fleet in one hour, per second.
struct Rates {
  double tokens = 0, prompt_tokens = 0;  // written, read
  double kept = 0, ended = 0;            // requests
  double watts = 0;                      // of chips

  Rates& operator+=(const Rates& b) {
    tokens += b.tokens;
    prompt_tokens += b.prompt_tokens;
    kept += b.kept;
    ended += b.ended;
    watts += b.watts;
    return *this;
  }
};

/// Hour by hour, as one section says, or all together.
using DayRates = std::array<Rates, kHours>;

Rates sum_of(const DayRates& day) {
  Rates sum;
  for (const Rates& hour : day) sum += hour;
  return sum;
}

using Latencies = std::vector<float> WindowSums::*;

class Day {
 public:
  Day(const FleetSpec& spec, const FleetInput& input, std::span<const Kind> kinds,
      std::span<const Site> sites, const PodSamples& samples,
      std::span<const std::int64_t> replicas_per_pod)
      : spec_(spec),
        input_(input),
        kinds_(kinds),
        sites_(sites),
        samples_(samples),
        replicas_per_pod_(replicas_per_pod),
        overhead_(power_overhead(input.ownership)),
        site_watts_(sites.size()) {
    for (std::size_t j = 0; j < samples.sections(); ++j) sections_.push_back(rates_of(j));
    for (int h = 0; h < kHours; ++h) {
      for (const DayRates& section : sections_) together_[h] += section[h];
    }
  }

  FleetPoint measure() const {
    FleetPoint point;
    for (std::size_t k = 0; k < kinds_.size(); ++k) point.kinds.push_back(share_of(k));
    for (std::size_t s = 0; s < sites_.size(); ++s) point.sites.push_back(site(s));
    for (int h = 0; h < kHours; ++h) point.hours[h] = hour(h);

    point.tokens_per_day =
        over_day([](const Rates& sum) { return sum.tokens * kSecondsPerHour; }, true);
    point.prompt_tokens_per_day =
        over_day([](const Rates& sum) { return sum.prompt_tokens * kSecondsPerHour; }, true);
    point.chip_watts = over_day([](const Rates& sum) { return sum.watts / kHours; }, true);
    point.kept_share = over_day(kept_share, false);
    const Rates all = sum_of(together_);
    point.joules_per_token = all.tokens > 0 ? all.watts / all.tokens : 0;
    point.ttft = latency(&WindowSums::ttft_s);
    point.tpot = latency(&WindowSums::tpot_s);
    point.e2e = latency(&WindowSums::e2e_s);

    for (const HourResult& h : point.hours) {
      point.requests_per_day += h.demand_per_s * kSecondsPerHour;
      point.served_per_day += h.served_per_s * kSecondsPerHour;
      point.turned_away_per_day += h.turned_away_per_s * kSecondsPerHour;
      point.peak_megawatts = std::max(point.peak_megawatts, h.megawatts);
    }
    point.megawatts = point.chip_watts.value * overhead_ / kWattsPerMegawatt;
    count_failures(point);
    for (std::size_t i = 0; i < samples_.size(); ++i) {
      point.simulated_requests += samples_[i].arrived;
    }
    return point;
  }

 private:
  static double kept_share(const Rates& r) { return r.ended > 0 ? r.kept / r.ended : 1; }

  /// What is counted once in this window happens so many times a second at the whole site.
  double weight(std::size_t k, std::size_t s, int h, const WindowSums& sums) const {
    if (sums.seconds <= 0) return 0;
    const double replica_seconds = sums.seconds * count(replicas_per_pod_[k]);
    return count(sites_[s].hours[h].kinds[k].awake) / replica_seconds;
  }

  /// Chips that are up and asleep, or have nothing to do.
  double resting_watts(std::size_t k, std::size_t s, int h) const {
    const SiteKind& stand = sites_[s].kinds[k];
    const double awake =
        count(sites_[s].hours[h].kinds[k].awake * kinds_[k].placement.chips_per_replica);
    const double asleep = std::max(0.0, count(stand.chips) - stand.broken_chips - awake);
    return asleep * kinds_[k].chip_asleep_watts;
  }

  DayRates rates_of(std::size_t j) {
    DayRates day;
    for (std::size_t k = 0; k < kinds_.size(); ++k) {
      for (std::size_t s = 0; s < sites_.size(); ++s) {
        for (int h = 0; h < kHours; ++h) {
          const WindowSums& sums = samples_.at(k, s, j).windows[h];
          const double w = weight(k, s, h, sums);
          Rates rates;
          rates.tokens = w * count(sums.output_tokens);
          rates.prompt_tokens = w * count(sums.prompt_tokens);
          rates.kept = w * count(sums.kept);
          rates.ended = w * count(sums.finished + sums.refused);
          const double waiting_for_work =  // an hour without a request is not simulated
              sums.seconds > 0
                  ? 0
                  : count(sites_[s].hours[h].kinds[k].awake) * input_.kinds[k].replica.idle.count();
          rates.watts = w * sums.joules + waiting_for_work + resting_watts(k, s, h);
          site_watts_[s][h] += rates.watts / count(static_cast<std::int64_t>(samples_.sections()));
          day[h] += rates;
        }
      }
    }
    return day;
  }

  /// `f` over the day's sum: a total, of which all sections together have so many times too much,
  /// or a ratio.
  template <class F>
  Estimate over_day(F f, bool is_total) const {
    return over([&](const DayRates& day) { return f(sum_of(day)); }, is_total);
  }
  template <class F>
  Estimate over(F f, bool is_total) const {
    std::vector<double> values;
    for (const DayRates& section : sections_) values.push_back(f(section));
    const auto n = static_cast<double>(sections_.size());
    return estimate(f(together_) / (is_total ? n : 1), values, spec_.sampling.confidence);
  }

  HourResult hour(int h) const {
    HourResult result;
    result.utc_hour = h;
    double watts = 0;
    for (std::size_t s = 0; s < sites_.size(); ++s) {
      const SiteHour& site = sites_[s].hours[h];
      result.demand_per_s += site.demand;
      result.served_per_s += site.served;
      result.sent_on_per_s += site.sent_on;
      result.turned_away_per_s += site.turned_away;
      result.power_capped = result.power_capped || site.power_capped;
      for (const KindHour& kind : site.kinds) result.awake += kind.awake;
      watts += site_watts_[s][h];
    }
    result.tokens_per_s = over([&](const DayRates& day) { return day[h].tokens; }, true);
    result.chip_watts = over([&](const DayRates& day) { return day[h].watts; }, true);
    result.megawatts = watts * overhead_ / kWattsPerMegawatt;
    result.kept_share = over([&](const DayRates& day) { return kept_share(day[h]); }, false);
    result.ttft_p99_s = quantile(&WindowSums::ttft_s, 0.99, h, h + 1);
    return result;
  }

  SiteResult site(std::size_t s) const {
    SiteResult result;
    result.name = spec_.regions[s].name;
    for (int h = 0; h < kHours; ++h) {
      const double megawatts = site_watts_[s][h] * overhead_ / kWattsPerMegawatt;
      result.mean_megawatts += megawatts / kHours;
      result.peak_megawatts = std::max(result.peak_megawatts, megawatts);
      result.turned_away_per_day += sites_[s].hours[h].turned_away * kSecondsPerHour;
      result.sent_on_per_day += sites_[s].hours[h].sent_on * kSecondsPerHour;
    }
    const auto& cap = spec_.regions[s].site_power;
    if (cap) result.cap_megawatts = cap->count() / kWattsPerMegawatt;
    return result;
  }

  KindShare share_of(std::size_t k) const {
    KindShare share;
    share.name = input_.kinds[k].name;
    share.chips = kinds_[k].chips;
    double served = 0;
    double all = 0;
    for (const Site& site : sites_) {
      share.replicas += site.kinds[k].replicas;
      share.counted_on += site.kinds[k].counted_on;
      for (const SiteHour& hour : site.hours) {
        served += hour.kinds[k].rate * count(hour.kinds[k].awake);
        all += hour.served;
      }
    }
    share.load_share = all > 0 ? served / all : 0;
    return share;
  }

  void count_failures(FleetPoint& point) const {
    constexpr double kSecondsPerDay = kHours * kSecondsPerHour;
    double up = 0;
    double replicas = 0;
    for (std::size_t k = 0; k < kinds_.size(); ++k) {
      const double chips = count(kinds_[k].chips);
      point.failures_per_day += failure_rate(spec_.failures) * chips * kSecondsPerDay;
      point.scrapped_chips_per_day += scrap_rate(spec_.failures) * chips * kSecondsPerDay;
      up += availability(spec_.failures, kinds_[k].placement) * count(point.kinds[k].replicas);
      replicas += count(point.kinds[k].replicas);
      // What runs on a replica when it goes out: its mean number of requests (Little's law).
      const double outages = outage_rate(spec_.failures, kinds_[k].placement);
      for (std::size_t s = 0; s < sites_.size(); ++s) {
        for (int h = 0; h < kHours; ++h) {
          double running = 0;
          for (std::size_t j = 0; j < samples_.sections(); ++j) {
            const WindowSums& sums = samples_.at(k, s, j).windows[h];
            running += weight(k, s, h, sums) * sums.request_seconds;
          }
          point.interrupted_requests_per_day +=
              running / static_cast<double>(samples_.sections()) * outages * kSecondsPerHour;
        }
      }
    }
    point.availability = replicas > 0 ? up / replicas : 1;
  }

  /// The latencies of the hours [from, until) in the sections [first, last), each with the requests
  /// a second that it stands for.
  std::vector<Weighted> gathered(Latencies of, int from, int until, std::size_t first,
                                 std::size_t last) const {
    std::vector<Weighted> values;
    for (std::size_t k = 0; k < kinds_.size(); ++k) {
      for (std::size_t s = 0; s < sites_.size(); ++s) {
        for (std::size_t j = first; j < last; ++j) {
          for (int h = from; h < until; ++h) {
            const WindowSums& sums = samples_.at(k, s, j).windows[h];
            const double w = weight(k, s, h, sums);
            for (const float value : sums.*of) values.push_back({value, w});
          }
        }
      }
    }
    return values;
  }

  Estimate quantile(Latencies of, double share, int from, int until) const {
    std::vector<double> sections;
    for (std::size_t j = 0; j < samples_.sections(); ++j) {
      auto values = gathered(of, from, until, j, j + 1);
      sections.push_back(weighted_quantile(values, share));
    }
    auto all = gathered(of, from, until, 0, samples_.sections());
    return estimate(weighted_quantile(all, share), sections, spec_.sampling.confidence);
  }

  Estimate mean(Latencies of) const {
    const auto mean_of = [](const std::vector<Weighted>& values) {
      double sum = 0;
      double weights = 0;
      for (const Weighted& v : values) {
        sum += v.weight * static_cast<double>(v.value);
        weights += v.weight;
      }
      return weights > 0 ? sum / weights : 0;
    };
    std::vector<double> sections;
    for (std::size_t j = 0; j < samples_.sections(); ++j) {
      sections.push_back(mean_of(gathered(of, 0, kHours, j, j + 1)));
    }
    return estimate(mean_of(gathered(of, 0, kHours, 0, samples_.sections())), sections,
                    spec_.sampling.confidence);
  }

  LatencyEstimate latency(Latencies of) const {
    return {mean(of), quantile(of, 0.5, 0, kHours), quantile(of, 0.9, 0, kHours),
            quantile(of, 0.99, 0, kHours)};
  }

  const FleetSpec& spec_;
  const FleetInput& input_;
  std::span<const Kind> kinds_;
  std::span<const Site> sites_;
  const PodSamples& samples_;
  std::span<const std::int64_t> replicas_per_pod_;
  double overhead_;
  std::vector<std::array<double, kHours>> site_watts_;  // of chips, mean of the sections
  std::vector<DayRates> sections_;
  DayRates together_;  // sum of the sections
};

}  // namespace

FleetPoint measure_day(const FleetSpec& spec, const FleetInput& input, std::span<const Kind> kinds,
                       std::span<const Site> sites, const PodSamples& samples,
                       std::span<const std::int64_t> replicas_per_pod) {
  return Day(spec, input, kinds, sites, samples, replicas_per_pod).measure();
}

}  // namespace presil::fleet
