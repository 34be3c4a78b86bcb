// Replicas by the hundred thousand for a day: what they write, draw, cost and are made of.
//
// Nobody simulates 350,000 chips request by request, and nobody has to. Under random or session
// routing the replicas of a kind are independent of each other, so a sample of them says what all
// do; under any other router a pod of replicas behind one router is such a sample. First the
// highest rate that keeps the promise is found for each kind of chip, then the day is planned
// (plan.h), then `sections` pods of each kind at each site live through their 24 hours (pod.h), and
// what they did is scaled to all. Sections are independent, and give every result its confidence
// interval (statistics.h).
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "fleet/bill.h"
#include "fleet/highest_rate.h"
#include "fleet/plan.h"
#include "fleet/pod.h"
#include "fleet/spec.h"
#include "fleet/statistics.h"

namespace presil::fleet {

/// One kind of chip with the service that runs on it.
struct FleetKind {
  std::string name;  // of the service
  PodReplica replica;
  std::int64_t chips_per_replica = 1;
  serving::RouterSpec router;
  ChipSupply supply;
};

struct FleetInput {
  std::vector<FleetKind> kinds;          // the own one, the bought one, or both
  std::vector<serving::Request> bodies;  // what requests may ask; at least one
  serving::Slo slo;
  Ownership ownership;
  std::uint64_t seed = 0;
};

/// A kind on its own.
struct KindResult {
  std::string name;
  bool own = false;
  HighestRate highest;
  double availability = 1;  // of a replica
  double mtbf_s = 0;        // of all chips of the fleet, were they of this kind
};

/// A kind in a fleet.
struct KindShare {
  std::string name;
  std::int64_t chips = 0;
  std::int64_t replicas = 0;
  std::int64_t counted_on = 0;  // the other replicas are spares, or out
  double load_share = 0;        // of the requests that are served
};

struct LatencyEstimate {
  Estimate mean, p50, p90, p99;  // s
};

struct HourResult {
  int utc_hour = 0;
  double demand_per_s = 0, served_per_s = 0, sent_on_per_s = 0, turned_away_per_s = 0;
  std::int64_t awake = 0;  // replicas
  bool power_capped = false;
  Estimate tokens_per_s;
  Estimate chip_watts;
  double megawatts = 0;  // of the sites
  Estimate kept_share;   // of the served requests, within the promise
  Estimate ttft_p99_s;
};

struct SiteResult {
  std::string name;
  double mean_megawatts = 0, peak_megawatts = 0;
  double cap_megawatts = 0;  // 0: none
  double turned_away_per_day = 0, sent_on_per_day = 0;
};

struct FleetPoint {
  double own_share = 0;
  std::vector<KindShare> kinds;
  std::vector<SiteResult> sites;
  std::array<HourResult, kHours> hours;

  Estimate tokens_per_day;         // written
  Estimate prompt_tokens_per_day;  // read
  double requests_per_day = 0, served_per_day = 0, turned_away_per_day = 0;
  Estimate kept_share;
  LatencyEstimate ttft, tpot, e2e;
  Estimate chip_watts;  // of all chips, mean of the day
  double megawatts = 0, peak_megawatts = 0, provisioned_megawatts = 0;
  double joules_per_token = 0;  // of the chips

  FleetBill bill;
  Band usd_per_mtoken;  // bill.per_day() over the typical million tokens of a day
  SupplyNeed supply;
  double availability = 1;  // of replicas, mean
  double failures_per_day = 0, scrapped_chips_per_day = 0;
  double interrupted_requests_per_day = 0;  // that were running where something failed
  std::int64_t simulated_requests = 0;
};

/// One kind's busiest hour with pods of R and of 2R replicas.
struct PodDoubling {
  std::string kind;
  double own_share = 0;
  int utc_hour = 0;
  double rate = 0;  // requests/s of a replica
  std::int64_t replicas = 1;
  struct Answer {
    Estimate ttft_p99_s, tpot_p99_s, kept_share, watts;  // watts of a replica
  };
  Answer once, twice;
};

struct FleetResult {
  double power_overhead = 1;  // megawatts over the chips'
  double confidence = 0;
  std::int64_t sections = 0;
  std::vector<KindResult> kinds;
  std::vector<FleetPoint> points;  // as own_shares
  std::vector<PodDoubling> doublings;
  std::int64_t simulated_requests = 0;  // in all: to find the rates, in the points, the doublings
};

/// Infeasible where a kind keeps the promise at no rate. Throws InputError for a promise on itl or
/// none at all, and a site whose cap is too low. The same bytes on any number of threads.
Feasible<FleetResult> simulate_fleet(const FleetSpec& spec, const FleetInput& input);

}  // namespace presil::fleet
