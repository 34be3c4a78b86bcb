#include "fleet/plan.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include "base/error.h"

namespace presil::fleet {
namespace {

constexpr double kSecondsPerDay = 86400;

double count(std::int64_t n) {
  return static_cast<double>(n);
}

/// `total` in parts as `regions` have shares, whole and none lost.
std::vector<std::int64_t> dealt_out(std::int64_t total, std::span<const Region> regions) {
  std::vector<std::int64_t> parts;
  double share = 0;
  std::int64_t given = 0;
  for (const Region& region : regions) {
    share += region.share;
    const bool last = parts.size() + 1 == regions.size();
    const std::int64_t until = last ? total : std::llround(std::min(1.0, share) * count(total));
    parts.push_back(until - given);
    given = until;
  }
  return parts;
}

SiteKind stand(const FleetSpec& spec, const Kind& kind, std::int64_t units) {
  const Placement& p = kind.placement;
  const double up = availability(spec.failures, p);
  SiteKind site;
  site.chips = units * p.chips_per_unit();
  site.replicas = units * p.replicas_per_unit();
  site.counted_on = units_up(units, up, spec.spare_confidence) * p.replicas_per_unit();
  site.broken_chips = count(site.chips) * (1 - up);
  return site;
}

bool is_upgrading(const Upgrades& upgrades, int local) {
  return (local - upgrades.from_hour + kHours) % kHours < upgrades.hours;
}

/// The order in which kinds are given work and power.
std::vector<std::size_t> by_joules(std::span<const Kind> kinds) {
  std::vector<std::size_t> order(kinds.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return kinds[a].joules_per_request() < kinds[b].joules_per_request();
  });
  return order;
}

/// One site at a time, one hour at a time.
class Planner {
 public:
  Planner(const FleetSpec& spec, std::span<const Kind> kinds, double overhead)
      : spec_(spec), kinds_(kinds), order_(by_joules(kinds)), overhead_(overhead) {}

  /// What may be awake: what is counted on, less upgrades, below the cap.
  SiteHour ready(const Region& region, const Site& site, int hour) const {
    SiteHour result;
    result.demand =
        spec_.requests_per_day / kSecondsPerDay * region.share * load_factor(region, hour);
    const bool upgrading = is_upgrading(spec_.upgrades, local_hour(region, hour));
    const double staying = upgrading ? 1 - spec_.upgrades.share : 1;
    for (const SiteKind& kind : site.kinds) {
      const auto left = static_cast<std::int64_t>(std::floor(count(kind.counted_on) * staying));
      result.kinds.push_back({.ready = left});
    }
    if (region.site_power) cap(region, site, result);
    return result;
  }

  /// Requests/s that `hour` can take.
  double room(const SiteHour& hour) const {
    double sum = 0;
    for (std::size_t k = 0; k < kinds_.size(); ++k) sum += room(hour, k);
    return sum;
  }

  /// Gives hour.served to the kinds and wakes replicas for it.
  void split(SiteHour& hour) const {
    const double all = room(hour);
    double left = hour.served;
    for (const std::size_t k : order_) {
      const double own_room = room(hour, k);
      const double load = spec_.split == Split::by_capacity
                              ? (all > 0 ? hour.served * own_room / all : 0)
                              : std::min(left, own_room);
      left -= load;
      KindHour& kind = hour.kinds[k];
      const double needed = std::ceil(load / (spec_.target_load * kinds_[k].highest_rate) - 1e-9);
      kind.awake = spec_.awake == Awake::all
                       ? kind.ready
                       : std::min(kind.ready, static_cast<std::int64_t>(needed));
      kind.rate = kind.awake > 0 ? load / count(kind.awake) : 0;
    }
  }

 private:
  double room(const SiteHour& hour, std::size_t k) const {
    return count(hour.kinds[k].ready) * spec_.target_load * kinds_[k].highest_rate;
  }

  /// Lowers hour.ready so that the site stays below its cap whatever its replicas are asked.
  void cap(const Region& region, const Site& site, SiteHour& hour) const {
    double left = region.site_power->count() / overhead_;  // W, for waking chips
    for (std::size_t k = 0; k < kinds_.size(); ++k) {
      const SiteKind& kind = site.kinds[k];
      left -= (count(kind.chips) - kind.broken_chips) * kinds_[k].chip_asleep_watts;
    }
    if (left < 0) {
      throw InputError(fmt::format(
          "fleet.regions: {}: site_power {} is {} below what its chips "
          "draw asleep",
          region.name, to_string(*region.site_power), to_string(Watts(-left * overhead_))));
    }
    const auto waking = [&](std::size_t k) {  // W of one replica
      const Kind& kind = kinds_[k];
      return kind.most_watts - count(kind.placement.chips_per_replica) * kind.chip_asleep_watts;
    };
    double all = 0;
    for (std::size_t k = 0; k < kinds_.size(); ++k) all += waking(k) * count(hour.kinds[k].ready);
    if (all <= left) return;
    hour.power_capped = true;
    const double even = left / all;
    for (const std::size_t k : order_) {
      std::int64_t& replicas = hour.kinds[k].ready;
      const double most = spec_.split == Split::by_capacity ? count(replicas) * even
                                                            : std::max(0.0, left) / waking(k);
      replicas = static_cast<std::int64_t>(std::min(count(replicas), std::floor(most)));
      left -= waking(k) * count(replicas);
    }
  }

  const FleetSpec& spec_;
  std::span<const Kind> kinds_;
  std::vector<std::size_t> order_;
  double overhead_;
};

/// Moves what sites cannot take to those with room, in proportion to it.
void send_on(std::span<Site> sites, const Planner& planner, int hour) {
  double beyond = 0;
  double room = 0;
  for (const Site& site : sites) {
    const SiteHour& h = site.hours[hour];
    beyond += h.turned_away;
    room += planner.room(h) - h.served;
  }
  const double moved = std::min(beyond, room);
  if (moved <= 0) return;
  for (Site& site : sites) {
    SiteHour& h = site.hours[hour];
    const double own_room = planner.room(h) - h.served;
    h.sent_on = h.turned_away * (moved / beyond);
    h.turned_away -= h.sent_on;
    h.served += own_room * (moved / room);
  }
}

}  // namespace

std::vector<Site> make_plan(const FleetSpec& spec, std::span<const Kind> kinds, double overhead) {
  std::vector<Site> sites(spec.regions.size());
  for (const Kind& kind : kinds) {
    const auto units = dealt_out(kind.chips / kind.placement.chips_per_unit(), spec.regions);
    for (std::size_t s = 0; s < sites.size(); ++s) {
      sites[s].kinds.push_back(stand(spec, kind, units[s]));
    }
  }
  const Planner planner(spec, kinds, overhead);
  for (int hour = 0; hour < kHours; ++hour) {
    for (std::size_t s = 0; s < sites.size(); ++s) {
      SiteHour& h = sites[s].hours[hour];
      h = planner.ready(spec.regions[s], sites[s], hour);
      h.served = std::min(h.demand, planner.room(h));
      h.turned_away = h.demand - h.served;
    }
    if (spec.overflow == Overflow::other_sites) send_on(sites, planner, hour);
    for (Site& site : sites) planner.split(site.hours[hour]);
  }
  return sites;
}

}  // namespace presil::fleet
