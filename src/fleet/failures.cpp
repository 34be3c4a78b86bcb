#include "fleet/failures.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/integers.h"

namespace presil::fleet {
namespace {

constexpr Choice<FailureCause::Takes> kTakes[] = {
    {"replica", FailureCause::Takes::replica},
    {"server", FailureCause::Takes::server},
};

double chip_seconds(const FailureRecord& record) {
  return static_cast<double>(record.chips) * record.time.count();
}

/// Times a second that one cause takes a replica out.
double outage_rate(const FailureRecord& record, const FailureCause& cause, const Placement& p) {
  const std::int64_t chips =
      cause.takes == FailureCause::Takes::server ? p.chips_per_unit() : p.chips_per_replica;
  return cause.events / chip_seconds(record) * static_cast<double>(chips);
}

FailureCause read_cause(Fields& f) {
  FailureCause c;
  c.name = f.text("name", "of the cause");
  c.events = f.number("events", "in the record", {0, 1e9});
  c.takes = f.choice_or<FailureCause::Takes>("takes", "what goes out", kTakes,
                                             FailureCause::Takes::server);
  c.out = f.quantity<Seconds>("out", "until it serves again");
  c.scrapped = f.number_or("scrapped", "share of events after which a chip is replaced", 0, {0, 1});
  return c;
}

}  // namespace

std::int64_t Placement::servers_per_replica() const {
  return ceil_div(chips_per_replica, chips_per_server);
}

std::int64_t Placement::replicas_per_server() const {
  return std::max<std::int64_t>(1, chips_per_server / chips_per_replica);
}

double failure_rate(const FailureRecord& record) {
  double events = 0;
  for (const FailureCause& cause : record.causes) events += cause.events;
  return events / chip_seconds(record);
}

Seconds mtbf(const FailureRecord& record, std::int64_t chips) {
  return Seconds(1 / (failure_rate(record) * static_cast<double>(chips)));
}

double outage_rate(const FailureRecord& record, const Placement& placement) {
  double rate = 0;
  for (const FailureCause& cause : record.causes) rate += outage_rate(record, cause, placement);
  return rate;
}

double availability(const FailureRecord& record, const Placement& placement) {
  double out = 0;  // time out for each second up
  for (const FailureCause& cause : record.causes) {
    out += outage_rate(record, cause, placement) * cause.out.count();
  }
  return 1 / (1 + out);
}

double scrap_rate(const FailureRecord& record) {
  double scrapped = 0;
  for (const FailureCause& cause : record.causes) scrapped += cause.events * cause.scrapped;
  return scrapped / chip_seconds(record);
}

std::int64_t units_up(std::int64_t units, double availability, double confidence) {
  CHECK(units >= 0 && availability > 0 && availability <= 1, "units that are up now and then");
  if (units == 0 || availability == 1) return units;
  // P(exactly k down) by its recurrence in logarithms, summed until enough of it is covered.
  const double odds = std::log(1 - availability) - std::log(availability);
  double log_chance = static_cast<double>(units) * std::log(availability);
  double covered = std::exp(log_chance);
  std::int64_t down = 0;
  while (covered < confidence && down < units) {
    log_chance += odds + std::log(static_cast<double>(units - down)) -
                  std::log(static_cast<double>(down + 1));
    ++down;
    covered += std::exp(log_chance);
  }
  return units - down;
}

std::int64_t spares_for(std::int64_t required, double availability, double confidence) {
  std::int64_t enough = 1;
  while (units_up(required + enough, availability, confidence) < required) enough *= 2;
  std::int64_t low = 0;
  while (low < enough) {
    const std::int64_t middle = (low + enough) / 2;
    if (units_up(required + middle, availability, confidence) >= required) {
      enough = middle;
    } else {
      low = middle + 1;
    }
  }
  return enough;
}

FailureRecord read_failures(Fields& f) {
  FailureRecord record;
  record.chips = f.integer("chips", "that were watched", {1, 1e9});
  record.time = f.quantity<Seconds>("time", "that they were watched for");
  record.causes = f.maps_or_none("causes", "of what was seen", read_cause);
  f.require(!record.causes.empty(), "causes", "expected a cause at least");
  return record;
}

}  // namespace presil::fleet
