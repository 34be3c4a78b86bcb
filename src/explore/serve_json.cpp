#include "explore/serve_json.h"

#include <cmath>

#include <nlohmann/json.hpp>

#include "explore/device_json.h"
#include "explore/fleet_json.h"

namespace presil {
namespace {

using namespace serving;

double seconds(Nanoseconds t) {
  return to_seconds(t).count();
}

Json summary(const Summary& s) {
  return {{"mean", s.mean}, {"p50", s.p50}, {"p90", s.p90}, {"p99", s.p99}};
}

void add_latency(Json& json, const LatencySummaries& latency) {
  json["ttft_s"] = summary(latency.ttft_s);
  json["tpot_s"] = summary(latency.tpot_s);
  json["itl_s"] = summary(latency.itl_s);
  json["e2e_s"] = summary(latency.e2e_s);
}

void add_counts(Json& json, const serving::Counts& counts) {
  json["requests"] = counts.requests;
  json["completed"] = counts.completed;
  json["rejected"] = counts.rejected();
  json["too_long"] = counts.too_long;
  json["turned_away"] = counts.turned_away;
  json["preemptions"] = counts.preemptions;
  json["prompt_tokens"] = counts.prompt_tokens;
  json["output_tokens"] = counts.output_tokens;
}

Json slo_json(const std::vector<SloCheck>& checks) {
  Json list = Json::array();
  for (const SloCheck& c : checks) {
    list.push_back({{"text", c.limit.text}, {"value_s", c.value_s}, {"met", c.met}});
  }
  return list;
}

Json over_time(const OverTime& o) {
  return {{"mean", o.mean}, {"max", o.max}};
}

Json classes_json(const std::vector<ClassResult>& classes) {
  Json list = Json::array();
  for (const ClassResult& c : classes) {
    Json json = {{"name", c.name}};
    add_counts(json, c.counts);
    json["kept_share"] = c.counts.requests > 0 ? static_cast<double>(c.counts.kept) /
                                                     static_cast<double>(c.counts.requests)
                                               : std::nan("");
    add_latency(json, c.latency);
    json["slo"] = slo_json(c.slo);
    list.push_back(std::move(json));
  }
  return list;
}

Json series_json(const std::vector<SeriesPoint>& points) {
  Json t = Json::array(), queue = t, running = t, kv = t, power = t, replicas = t;
  for (const SeriesPoint& p : points) {
    t.push_back(p.t_s);
    queue.push_back(p.queue);
    running.push_back(p.running);
    kv.push_back(p.kv_use);
    power.push_back(p.power_w);
    replicas.push_back(p.replicas);
  }
  return {{"t_s", t},     {"queue", queue},   {"running", running},
          {"kv_use", kv}, {"power_w", power}, {"replicas", replicas}};
}

Json gantt_json(const std::vector<GanttStep>& steps) {
  Json list = Json::array();
  for (const GanttStep& s : steps) {
    list.push_back({{"replica", s.replica},
                    {"start_s", seconds(s.start)},
                    {"end_s", seconds(s.end)},
                    {"prefill_tokens", s.prefill_tokens},
                    {"decode_sequences", s.decode_sequences},
                    {"waiting", s.waiting}});
  }
  return list;
}

Json curve_json(const std::vector<LoadPoint>& points) {
  Json list = Json::array();
  for (const LoadPoint& p : points) {
    list.push_back({{"rate", p.rate},
                    {"ttft_p50_s", p.latency.ttft_s.p50},
                    {"ttft_p99_s", p.latency.ttft_s.p99},
                    {"tpot_p50_s", p.latency.tpot_s.p50},
                    {"tpot_p99_s", p.latency.tpot_s.p99},
                    {"e2e_p99_s", p.latency.e2e_s.p99},
                    {"request_throughput", p.request_throughput},
                    {"output_throughput", p.output_throughput},
                    {"goodput", p.request_goodput},
                    {"queue", p.queue},
                    {"power_w", p.power_w},
                    {"energy_j_per_token", p.energy_j_per_token},
                    {"meets", p.meets}});
  }
  return list;
}

Json pool_json(const PoolAnswer& pool, const PoolResult& ran) {
  const Deployment& d = pool.deployment;
  Json json = {{"name", pool.spec.name},
               {"chip", d.prepared.chip.chip.name},
               {"model", d.prepared.model.name},
               {"role", to_string(d.engine.role)},
               {"chips_per_replica", d.chips},
               {"replicas", ran.most_replicas},
               {"mean_replicas", ran.mean_replicas},
               {"kv_blocks", d.engine.num_blocks},
               {"block_size", d.engine.block_size},
               {"memory_bytes", d.memory.count()},
               {"weight_bytes", d.weights.count()},
               {"workspace_bytes", d.workspace.count()},
               {"cache_bytes", d.cache.count()},
               {"steps", ran.steps},
               {"busy_s", ran.busy_s},
               {"idle_s", ran.idle_s},
               {"step_energy_j", ran.step_energy_j},
               {"idle_energy_j", ran.idle_energy_j},
               {"mfu", ran.mfu},
               {"mfu_busy", ran.mfu_busy}};
  if (d.draft) json["draft"] = d.draft->prepared.model.name;
  if (pool.table_error.samples > 0) {
    json["bound_by"] = to_string(largest(pool.charges));
    json["bound_shares"] = bound_shares_json(pool.charges);
  }
  json["estimates"] = estimates_json(d.prepared.chip.inputs);
  return json;
}

/// Over all pools: points and samples in all, the mean of all samples, the worst.
Json table_json(const std::vector<PoolAnswer>& pools) {
  std::size_t points = 0, samples = 0;
  double time = 0, worst_time = 0, energy = 0, worst_energy = 0;
  for (const PoolAnswer& p : pools) {
    points += p.table_points;
    samples += p.table_error.samples;
    time += p.table_error.time_mean * static_cast<double>(p.table_error.samples);
    energy += p.table_error.energy_mean * static_cast<double>(p.table_error.samples);
    worst_time = std::max(worst_time, p.table_error.time_max);
    worst_energy = std::max(worst_energy, p.table_error.energy_max);
  }
  const double n = samples > 0 ? static_cast<double>(samples) : std::nan("");
  return {{"points", points},
          {"samples", samples},
          {"error_mean", time / n},
          {"error_max", worst_time},
          {"energy_error_mean", energy / n},
          {"energy_error_max", worst_energy}};
}

Json side_json(const ServiceSide& side) {
  Json json = {{"step_time_factors", side.factors}};
  if (side.max_rate) json["max_rate"] = *side.max_rate;
  if (side.max_rate == 0) return json;
  add_latency(json, side.latency);
  json["output_throughput"] = side.output_throughput;
  json["meets_slo"] = side.meets_slo;
  if (side.usd_per_mtoken) json["usd_per_mtoken"] = *side.usd_per_mtoken;
  return json;
}

Json service_json(const ServiceAnswer& s) {
  Json json = {{"name", s.name}};
  if (s.no) json["no"] = {{"reason", s.no->reason}, {"remedy", s.no->remedy}};
  if (s.pools.empty()) return json;
  const ServiceResult& r = s.result;
  json["rate"] = s.rate;
  add_latency(json, r.latency);
  json["request_throughput"] = r.request_throughput;
  json["output_throughput"] = r.output_throughput;
  json["total_token_throughput"] = r.total_token_throughput;
  json["request_goodput"] = r.request_goodput;
  add_counts(json, r.counts);
  json["prefix_hit_rate"] = r.prefix_hit_rate;
  json["kv_use"] = over_time(r.kv_use);
  json["queue"] = over_time(r.queue);
  json["running"] = over_time(r.running);
  json["mfu"] = r.mfu;
  json["mfu_busy"] = r.mfu_busy;
  json["power_w"] = r.power_w;
  json["energy_j"] = r.energy_j;
  json["energy_j_per_token"] = r.energy_j_per_token;
  if (s.price) {
    json["usd_per_mtoken"] = band_json(s.price->usd_per_mtoken);
    json["usd_per_mtoken_lines"] = lines_json(s.price->lines);
  }
  json["duration_s"] = r.duration_s;
  json["slo"] = slo_json(r.slo);
  if (!r.slo.empty()) json["meets_slo"] = r.meets_slo();
  json["step_table"] = table_json(s.pools);
  if (!r.classes.empty()) json["classes"] = classes_json(r.classes);
  std::int64_t chips = 0, replicas = 0;
  Json pools = Json::array();
  for (std::size_t i = 0; i < s.pools.size(); ++i) {
    chips += std::int64_t{r.pools[i].most_replicas} * r.pools[i].chips_per_replica;
    replicas += r.pools[i].most_replicas;
    pools.push_back(pool_json(s.pools[i], r.pools[i]));
  }
  json["replicas"] = replicas;
  json["chips"] = chips;
  json["pools"] = std::move(pools);
  if (r.transfers.count > 0) {
    json["transfers"] = {{"count", r.transfers.count},
                         {"bytes", r.transfers.bytes},
                         {"mean_wait_s", r.transfers.mean_wait_s},
                         {"mean_s", r.transfers.mean_s}};
  }
  if (s.max_rate) {
    json["max_rate"] = s.max_rate->rate;
    json["max_rate_saturated"] = s.max_rate->saturated;
    json["load_curve"] = curve_json(s.max_rate->points);
  }
  json["uncertainty"] = {{"if_fast", side_json(s.if_fast)}, {"if_slow", side_json(s.if_slow)}};
  json["series"] = series_json(r.series);
  json["gantt"] = gantt_json(r.gantt);
  return json;
}

}  // namespace

Json to_json(const ServeAnswer& answer) {
  Json json = {{"schema", "presil/serve/1"},
               {"scenario", answer.scenario.name},
               {"question", answer.scenario.question}};
  json["answers"] = Json::array();
  for (const std::string& sentence : sentences(answer)) {
    json["answers"].push_back({{"text", sentence}});
  }
  if (!answer.services.empty()) {
    // The first service stands at the top as well, so that a scenario of one reads like a run.
    json.update(service_json(answer.services.front()));
  }
  if (answer.services.size() > 1) {
    json["services"] = Json::array();
    for (const ServiceAnswer& s : answer.services) json["services"].push_back(service_json(s));
  }
  if (Json cost = to_json(answer.cost); !cost.is_null()) json["cost"] = std::move(cost);
  if (answer.device) json["device"] = to_json(*answer.device);
  if (answer.fleet) json["fleet"] = fleet_json(*answer.scenario.fleet, *answer.fleet);
  if (answer.no_fleet) {
    json["fleet"] = {
        {"no", {{"reason", answer.no_fleet->reason}, {"remedy", answer.no_fleet->remedy}}}};
  }
  json["inputs"] = inputs_json(answer.scenario.inputs);
  return json;
}

}  // namespace presil
