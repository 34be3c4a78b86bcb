#include "explore/run_json.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "chip/derived.h"
#include "chip/dram_shape.h"
#include "explore/request_json.h"
#include "explore/steps.h"
#include "program/numerics_text.h"

namespace presil {
namespace {

double seconds(Picoseconds t) {
  return to_seconds(t).count();
}

Json memory_json(const Timeline& t) {
  const dram::MemoryStatistics& m = t.memory;
  // Shares of the whole phase: where the bus was not wanted it was idle.
  const double total = static_cast<double>(std::max<std::int64_t>(1, t.total.count()));
  const double waiting = std::min(1.0, static_cast<double>(m.waiting.count()) / total);
  return {{"shares",
           {{"data", m.shares.data * waiting},
            {"refresh", m.shares.refresh * waiting},
            {"row", m.shares.row * waiting},
            {"turnaround", m.shares.turnaround * waiting},
            {"other", m.shares.other * waiting},
            {"idle", 1 - waiting}}},
          {"commands",
           {{"ACT", m.commands.ACT},
            {"PREpb", m.commands.PREpb},
            {"PREab", m.commands.PREab},
            {"RD", m.commands.RD},
            {"WR", m.commands.WR},
            {"REFab", m.commands.REFab},
            {"REFpb", m.commands.REFpb}}},
          {"row_hits", m.row_hits},
          {"row_misses", m.row_misses},
          {"row_conflicts", m.row_conflicts},
          {"rounded_transfers", m.rounded_transfers},
          {"shortcuts", m.shortcuts}};
}

/// What the stages of a pipeline take.
Json pipeline_json(const PhaseResult& p) {
  Json stages = Json::array();
  for (const StageTime& stage : p.stages) {
    stages.push_back({{"time_s", seconds(stage.time)}, {"bound_by", to_string(stage.bound_by)}});
  }
  return {{"stages", stages},
          {"microbatches", p.microbatches},
          {"microbatch_latency_s", seconds(p.latency)}};
}

/// Traffic and operations are those of one chip (of a pipeline: of one in each stage), power and
/// bus shares those of the mean chip; energy is that of all `chips`.
Json phase_json(const PhaseResult& p, const ErrorModel& errors, std::int64_t chips) {
  const auto line = static_cast<double>(p.line());
  const double all = static_cast<double>(chips) / line;
  const Timeline& t = p.timeline;
  const double time = seconds(t.total);
  const TimeBand band = errors.of(p);
  const double bandwidth = static_cast<double>(t.dram_bytes.count()) / time / line;
  Json energy = Json::array();
  for (const EnergyLine& of : p.energy.lines) {
    Json j = {{"name", of.name}};
    j.update(band_json(of.joules * all));
    energy.push_back(std::move(j));
  }
  Json json = {{"steps", p.steps},
               {"tokens", p.tokens},
               {"time_s", time},
               {"time_low_s", time * band.low},
               {"time_high_s", time * band.high},
               {"tokens_per_s", tokens_per_second(p)},
               {"bound_by", to_string(t.bound_by)},
               {"bound_shares", bound_shares_json(t.charges)},
               {"chips", chips},
               {"energy_j", p.energy.total().typical * all},
               {"energy_j_low", p.energy.total().low * all},
               {"energy_j_high", p.energy.total().high * all},
               {"power_w", mean_power(p).count()},
               {"clock_share", p.clock},
               {"flops", t.flops},
               {"dram_bytes", t.dram_bytes.count()},
               {"weight_bytes", t.weight_bytes.count()},
               {"kv_bytes", t.kv_bytes.count()},
               {"dram_bandwidth_gbs", bandwidth / 1e9},
               {"dram_peak_gbs", t.dram_peak.count() / 1e9},
               {"dram_efficiency", bandwidth / t.dram_peak.count()},
               {"dram", memory_json(t)},
               {"energy", energy}};
  if (!p.stages.empty()) json["pipeline"] = pipeline_json(p);
  return json;
}

Json phases_json(const RunResult& r) {
  Json phases = Json::object();
  for (const PhaseResult& p : r.phases)
    phases[p.name] = phase_json(p, r.errors, chips_of(r.request));
  return phases;
}

Json ops_json(const RunResult& r) {
  Json ops = Json::array();
  for (const PhaseResult& p : r.phases) {
    for (const KernelTime& k : p.timeline.kernels) {
      Json op = {{"phase", p.name}, {"name", k.name}};
      if (k.block == "layer") op["layer"] = k.layer;
      op["start_s"] = seconds(k.start);
      op["end_s"] = seconds(k.end);
      const TimeBand band = r.errors.of(k);
      op["time_low_s"] = seconds(k.end - k.start) * band.low;
      op["time_high_s"] = seconds(k.end - k.start) * band.high;
      op["bound_by"] = to_string(k.bound_by);
      op["flops"] = k.flops;
      op["dram_bytes"] = k.dram_bytes.count();
      ops.push_back(std::move(op));
    }
  }
  return ops;
}

Json cost_json(const RunResult& r) {
  Json cost;
  if (r.token_price) {
    cost["usd_per_mtoken"] = r.token_price->usd_per_mtoken.typical;
    cost["usd_per_mtoken_band"] = band_json(r.token_price->usd_per_mtoken);
    cost["at_market_price"] = r.token_price->at_market_price;
    cost["token_lines"] = lines_json(r.token_price->lines);
  }
  cost["usd_per_chip"] = band_json(r.price.usd_per_chip);
  cost["chips"] = chips_of(r.request);
  cost["dies_per_wafer"] = r.price.dies_per_wafer;
  cost["yield"] = r.price.yield;
  cost["lines"] = lines_json(r.price.lines);
  return cost;
}

/// What the roofline of the chip is made of, in the format that most products multiply.
Json roofline_json(const RunResult& r) {
  Format format = Format::bf16;
  std::int64_t most = -1;
  for (const PhaseResult& p : r.phases) {
    for (const auto& [f, macs] : p.timeline.counts.macs) {
      if (macs > most) {
        most = macs;
        format = f;
      }
    }
  }
  Json j = {{"format", to_string(format)},
            {"peak_flops", peak_flops(r.chip.chip, format).count()},
            {"dram_bytes_per_s", peak_bandwidth(r.chip.memory, r.chip.chip.dram).count()}};
  if (r.chip.chip.sram) j["sram_bytes_per_s"] = r.chip.chip.sram->read.count();
  return j;
}

Json numerics_json(const RunResult& r) {
  Json json = {{"name", r.numerics.name}, {"definition", print(r.numerics)}};
  if (!r.quality) return json;
  const Quality& q = *r.quality;
  const Comparison& c = q.comparison;
  json["compared_with"] = q.compared_with;
  json["tokens"] = q.tokens;
  json["mean_kl"] = c.mean_kl;
  json["max_kl"] = c.max_kl;
  json["max_kl_position"] = c.max_kl_position;
  json["top1_agreement"] = c.top1_agreement;
  json["perplexity"] = c.perplexity;
  json["reference_perplexity"] = c.reference_perplexity;
  if (const auto& d = c.first_difference) {
    json["first_difference"] = {{"position", d->position},
                                {"after", q.after},
                                {"token", d->token},
                                {"text", q.text},
                                {"reference_token", d->reference_token},
                                {"reference_text", q.reference_text}};
  } else {
    json["first_difference"] = nullptr;
  }
  for (const LayerError& e : q.layers) {
    json["layers"].push_back({{"layer", e.layer}, {"relative_error", e.relative}});
  }
  return json;
}

/// What low and high of the times stand on.
Json uncertainty_json(const ErrorModel& errors) {
  Json estimated = Json::array();
  for (const Resource r : errors.estimated()) estimated.push_back(to_string(r));
  return {{"nearness", to_string(errors.nearness())}, {"estimated_rates", estimated}};
}

/// What the times stand for.
Json conditions_json(const RunResult& r) {
  const kernels::Software& s = r.library.software;
  return {{"software", s.name},
          {"software_version", s.version},
          {"kernels", s.has_laws() ? "library" : "program"},
          {"kv_page_tokens", page_tokens(r)},
          {"launch", to_string(r.request.launch.value_or(s.launch))},
          {"clock", r.request.burst ? "burst" : "sustained"},
          {"l2", r.request.warm_cache ? "warm" : "cold"},
          {"data", "random"}};
}

}  // namespace

Json summary_json(const RunResult& r) {
  Json j = {{"status", "ok"}, {"phases", phases_json(r)}, {"cost", cost_json(r)}};
  j["cost"].erase("lines");
  j["cost"].erase("token_lines");
  return j;
}

Json to_json(const RunResult& r) {
  Json j = {{"schema", "presil/run/1"},
            {"status", "ok"},
            {"chip", r.chip.chip.name},
            {"model", r.model.name},
            {"mode", to_string(r.request.mode)},
            {"request", request_json(r.request)},
            {"weights",
             {{"file", r.weights_file},
              {"formats", r.weight_formats},
              {r.weights_id.sampled ? "sample_sha256" : "sha256", r.weights_id.sha256}}},
            {"numerics", numerics_json(r)},
            {"conditions", conditions_json(r)},
            {"uncertainty", uncertainty_json(r.errors)}};
  if (r.text) {
    std::string text;
    Json ids = Json::array();
    Json tokens = Json::array();
    for (std::size_t i = 0; i < r.text->tokens.size(); ++i) {
      const GeneratedToken& t = r.text->tokens[i];
      text += r.text->pieces[i];
      ids.push_back(t.token);
      tokens.push_back({{"id", t.token},
                        {"text", r.text->pieces[i]},
                        {"probability", t.probability},
                        {"gap", t.gap}});
    }
    j["prompt"] = r.text->prompt;
    j["text"] = text;
    j["prompt_token_ids"] = r.text->prompt_tokens;
    j["token_ids"] = ids;
    j["tokens"] = tokens;
  }
  if (!r.phases.empty()) {
    j["phases"] = phases_json(r);
    j["cost"] = cost_json(r);
    j["roofline"] = roofline_json(r);
    j["ops"] = ops_json(r);
  }
  j["estimates"] = estimates_json(r.chip.inputs);
  j["inputs"] = inputs_json(r.chip.inputs);
  return j;
}

Json to_json(const RunRequest& request, const Infeasible& answer) {
  return {{"schema", "presil/run/1"},
          {"status", "infeasible"},
          {"request", request_json(request)},
          {"reason", answer.reason},
          {"remedy", answer.remedy}};
}

}  // namespace presil
