#include "explore/fleet_json.h"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace presil {
namespace {

using namespace fleet;

Json interval(const Estimate& e) {
  return {{"low", e.low()}, {"high", e.high()}};
}

/// Of a share, which is never above all or below nothing.
Json share_interval(const Estimate& e) {
  return {{"low", std::max(0.0, e.low())}, {"high", std::min(1.0, e.high())}};
}

Json estimate_json(const Estimate& e) {
  return {{"value", e.value}, {"half_width", e.half_width}};
}

Json latency_json(const LatencyEstimate& l) {
  return {{"mean", l.mean.value}, {"p50", l.p50.value}, {"p90", l.p90.value}, {"p99", l.p99.value}};
}

Json bill_json(const std::vector<fleet::BillLine>& lines) {
  Json list = Json::array();
  for (const fleet::BillLine& line : lines) {
    list.push_back({{"name", line.name},
                    {"usd", band_json(line.usd)},
                    {"usd_per_day", band_json(line.usd_per_day)}});
  }
  return list;
}

Json hour_json(const HourResult& h) {
  return {{"hour", h.utc_hour},
          {"demand_per_s", h.demand_per_s},
          {"served_per_s", h.served_per_s},
          {"sent_on_per_s", h.sent_on_per_s},
          {"turned_away_per_s", h.turned_away_per_s},
          {"awake_replicas", h.awake},
          {"tokens_per_s", h.tokens_per_s.value},
          {"chip_power_w", h.chip_watts.value},
          {"megawatts", h.megawatts},
          {"ttft_p99_s", h.ttft_p99_s.value},
          {"kept_share", h.kept_share.value},
          {"power_capped", h.power_capped},
          {"confidence",
           {{"tokens_per_s", interval(h.tokens_per_s)},
            {"chip_power_w", interval(h.chip_watts)},
            {"ttft_p99_s", interval(h.ttft_p99_s)},
            {"kept_share", share_interval(h.kept_share)}}}};
}

Json hours_json(const FleetPoint& point) {
  Json list = Json::array();
  for (const HourResult& h : point.hours) list.push_back(hour_json(h));
  return list;
}

Json sites_json(const FleetPoint& point) {
  Json list = Json::array();
  for (const SiteResult& s : point.sites) {
    list.push_back({{"name", s.name},
                    {"megawatts", s.mean_megawatts},
                    {"peak_megawatts", s.peak_megawatts},
                    {"cap_megawatts", s.cap_megawatts > 0 ? Json(s.cap_megawatts) : Json(nullptr)},
                    {"turned_away_per_day", s.turned_away_per_day},
                    {"sent_on_per_day", s.sent_on_per_day}});
  }
  return list;
}

Json supply_json(const SupplyNeed& s) {
  return {{"own_wafers", s.own_wafers},
          {"bought_wafers", s.bought_wafers},
          {"stacks", s.stacks},
          {"stacks_share", s.stacks_share},
          {"first_foundry_chips", s.first_foundry_chips},
          {"second_foundry_chips", s.second_foundry_chips},
          {"second_foundry_share", s.second_foundry_share},
          {"second_foundry_wafers", s.second_foundry_wafers}};
}

Json point_json(const FleetPoint& p, double confidence, double overhead) {
  std::int64_t replicas = 0;
  std::int64_t spares = 0;
  Json kinds = Json::array();
  for (const KindShare& k : p.kinds) {
    replicas += k.replicas;
    spares += k.replicas - k.counted_on;
    kinds.push_back({{"name", k.name},
                     {"chips", k.chips},
                     {"replicas", k.replicas},
                     {"spares", k.replicas - k.counted_on},
                     {"load_share", k.load_share}});
  }
  const Estimate megawatts{p.megawatts, p.chip_watts.half_width * overhead / 1e6};
  return {{"own_share", p.own_share},
          {"kinds", std::move(kinds)},
          {"megawatts", p.megawatts},
          {"peak_megawatts", p.peak_megawatts},
          {"provisioned_megawatts", p.provisioned_megawatts},
          {"chip_power_w", p.chip_watts.value},
          {"capex_usd", band_json(p.bill.capex)},
          {"depreciation_usd_per_day", band_json(p.bill.depreciation_per_day)},
          {"opex_usd_per_day", band_json(p.bill.opex_per_day)},
          {"usd_per_day", band_json(p.bill.per_day())},
          {"usd_per_mtoken", band_json(p.usd_per_mtoken)},
          {"capital", bill_json(p.bill.capital)},
          {"operation", bill_json(p.bill.operation)},
          {"wafers", p.supply.own_wafers},
          {"stacks", p.supply.stacks},
          {"second_foundry_share", p.supply.second_foundry_share},
          {"supply", supply_json(p.supply)},
          {"replicas", replicas},
          {"spares", spares},
          {"availability", p.availability},
          {"failures_per_day", p.failures_per_day},
          {"scrapped_chips_per_day", p.scrapped_chips_per_day},
          {"interrupted_requests_per_day", p.interrupted_requests_per_day},
          {"requests_per_day", p.requests_per_day},
          {"served_per_day", p.served_per_day},
          {"turned_away_per_day", p.turned_away_per_day},
          {"tokens_per_day", p.tokens_per_day.value},
          {"prompt_tokens_per_day", p.prompt_tokens_per_day.value},
          {"energy_j_per_token", p.joules_per_token},
          {"kept_share", p.kept_share.value},
          {"ttft_s", latency_json(p.ttft)},
          {"tpot_s", latency_json(p.tpot)},
          {"e2e_s", latency_json(p.e2e)},
          {"simulated_requests", p.simulated_requests},
          {"confidence",
           {{"level", confidence},
            {"tokens_per_day", interval(p.tokens_per_day)},
            {"chip_power_w", interval(p.chip_watts)},
            {"megawatts", interval(megawatts)},
            {"kept_share", share_interval(p.kept_share)},
            {"ttft_p99_s", interval(p.ttft.p99)},
            {"tpot_p99_s", interval(p.tpot.p99)},
            {"e2e_p99_s", interval(p.e2e.p99)}}},
          {"sites", sites_json(p)},
          {"hours", hours_json(p)}};
}

Json kinds_json(const std::vector<KindResult>& kinds) {
  Json list = Json::array();
  for (const KindResult& k : kinds) {
    list.push_back({{"name", k.name},
                    {"own", k.own},
                    {"highest_rate", k.highest.rate},
                    {"power_w", k.highest.watts},
                    {"most_power_w", k.highest.most_watts},
                    {"broken_beyond", k.highest.limit.empty() ? "queue" : k.highest.limit},
                    {"availability", k.availability},
                    {"mtbf_s", k.mtbf_s},
                    {"simulated_requests", k.highest.requests}});
  }
  return list;
}

Json answer_json(const PodDoubling::Answer& a) {
  return {{"ttft_p99_s", estimate_json(a.ttft_p99_s)},
          {"tpot_p99_s", estimate_json(a.tpot_p99_s)},
          {"kept_share", estimate_json(a.kept_share)},
          {"power_w", estimate_json(a.watts)}};
}

Json doublings_json(const std::vector<PodDoubling>& doublings) {
  Json list = Json::array();
  for (const PodDoubling& d : doublings) {
    list.push_back({{"kind", d.kind},
                    {"own_share", d.own_share},
                    {"hour", d.utc_hour},
                    {"rate", d.rate},
                    {"replicas", d.replicas},
                    {"once", answer_json(d.once)},
                    {"twice", answer_json(d.twice)}});
  }
  return list;
}

}  // namespace

Json fleet_json(const FleetSpec& spec, const FleetResult& result) {
  Json points = Json::array();
  for (const FleetPoint& point : result.points) {
    points.push_back(point_json(point, result.confidence, result.power_overhead));
  }
  const std::size_t shown = result.points.size() / 2;
  return {{"chips", spec.chips},
          {"own_share", result.points[shown].own_share},  // of `hours`
          {"power_overhead", result.power_overhead},
          {"sections", result.sections},
          {"simulated_requests", result.simulated_requests},
          {"kinds", kinds_json(result.kinds)},
          {"points", std::move(points)},
          {"hours", hours_json(result.points[shown])},
          {"pod_doubling", doublings_json(result.doublings)}};
}

}  // namespace presil
