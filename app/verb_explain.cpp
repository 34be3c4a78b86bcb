// explain and trace: why a stored run takes its time, and every kernel of it on a time axis.
#include <fstream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/keep.h"
#include "app/output.h"
#include "explore/explain.h"
#include "explore/request_json.h"
#include "report/perfetto.h"
#include "report/table.h"

namespace presil::app {
namespace {

constexpr double kWorthSaying = 1.005;

/// The request of a stored run (default: the newest), for its cycles: a text stands as its length.
RunRequest stored_request(const Common& common, const std::string& id) {
  if (!std::filesystem::exists(common.store)) {
    throw MissingInput(common.store.string() + ": no store here yet; presil run makes one");
  }
  const auto store = open_store(common);
  std::string wanted = id;
  for (const RunSummary& r : store->runs()) {
    if (wanted.empty() && r.verb == "run") wanted = r.id;
  }
  const auto text = wanted.empty() ? std::nullopt : store->run_result(wanted);
  if (!text) {
    throw MissingInput(wanted.empty()
                           ? fmt::format("{} has no runs yet", common.store.string())
                           : fmt::format("{} has no run '{}'", common.store.string(), wanted));
  }
  const Json json = Json::parse(*text);
  if (json.value("schema", "") != "presil/run/1") {
    throw InputError(fmt::format("{} is not a run of a model on a chip", wanted));
  }
  RunRequest request = request_from_json(json.at("request"));
  if (json.contains("prompt_token_ids")) {
    request.prompt_tokens = static_cast<std::int64_t>(json["prompt_token_ids"].size());
    request.context = request.prompt_tokens;
  }
  request.overrides.insert(request.overrides.end(), common.set.begin(), common.set.end());
  request.mode = Mode::cycles;
  request.prompt.reset();
  request.sampling = {};
  return request;
}

Json to_json(const Explanation& e) {
  Json phases = Json::object();
  for (const PhaseExplanation& p : e.phases) {
    Json j = {{"time_s", p.time_s},
              {"time_low_s", p.time_low_s},
              {"time_high_s", p.time_high_s},
              {"bound_shares", Json::object()}};
    for (const auto& [resource, share] : p.shares) j["bound_shares"][resource] = share;
    j["critical_path"] = Json::array();
    for (const PathEntry& k : p.path) {
      j["critical_path"].push_back({{"kernel", k.kernel},
                                    {"count", k.count},
                                    {"time_s", k.time_s},
                                    {"share", k.share},
                                    {"bound_by", k.bound_by}});
    }
    j["changes"] = Json::array();
    for (const Change& c : p.changes) {
      Json change = {{"what", c.what}, {"settings", c.settings}};
      if (c.feasible) {
        change["time_s"] = c.time_s;
        change["speedup"] = c.speedup;
        change["usd_per_chip"] = c.usd_per_chip;
      } else {
        change["reason"] = c.reason;
      }
      j["changes"].push_back(std::move(change));
    }
    phases[p.phase] = std::move(j);
  }
  return {{"schema", "presil/explain/1"},
          {"chip", e.run.chip.chip.name},
          {"model", e.run.model.name},
          {"request", request_json(e.run.request)},
          {"phases", phases}};
}

std::string describe(const PhaseExplanation& p, bool colours) {
  std::string text = fmt::format("{}: {:.4g} ms ({:.4g} to {:.4g}); ", p.phase, 1e3 * p.time_s,
                                 1e3 * p.time_low_s, 1e3 * p.time_high_s);
  for (const auto& [resource, share] : p.shares) {
    if (share >= 0.005) text += fmt::format("{} {:.0f} %  ", resource, 100 * share);
  }
  Table path({{"kernel"},
              {"calls", Align::right},
              {"time", Align::right},
              {"of the step", Align::right},
              {"bound by"}});
  for (const PathEntry& k : p.path) {
    path.add({k.kernel, fmt::format("{}", k.count), fmt::format("{:.3f} ms", 1e3 * k.time_s),
              fmt::format("{:.1f} %", 100 * k.share), Cell(k.bound_by, Tone::strong)});
  }
  text += "\n\n" + path.render(colours) + "\n";
  Table changes({{"what if"}, {"faster by", Align::right}, {"USD a chip", Align::right}, {"how"}});
  for (const Change& c : p.changes) {
    if (!c.feasible || c.speedup < kWorthSaying) continue;
    std::string how;
    for (const std::string& s : c.settings) {
      how += (how.empty() ? "" : " ") + (s.starts_with("--") ? s : "--set '" + s + "'");
    }
    changes.add({c.what, fmt::format("{:.1f} %", 100 * (c.speedup - 1)),
                 fmt::format("{:.0f}", c.usd_per_chip), Cell(how, Tone::dim)});
  }
  return text + changes.render(colours);
}

}  // namespace

int explain_verb(const Common& common, const std::string& id) {
  const RunRequest request = stored_request(common, id);
  const auto explanation = explain(request, common.places);
  if (!explanation) return answer_no(common, request, explanation.error());
  if (common.json) {
    print_json(common, to_json(*explanation));
    return 0;
  }
  fmt::print("{} on {}\n\n", explanation->run.model.name, explanation->run.chip.chip.name);
  for (const PhaseExplanation& p : explanation->phases) {
    fmt::print("{}\n", describe(p, colour()));
  }
  return 0;
}

int trace_verb(const Common& common, const std::string& id, const std::filesystem::path& output) {
  RunRequest request = stored_request(common, id);
  request.record_transfers = true;
  const auto result = run(request, common.places);
  if (!result) return answer_no(common, request, result.error());
  std::ofstream file(output);
  file << perfetto_trace(*result).dump() << "\n";
  file.close();
  if (!file) throw LimitReached(output.string() + ": cannot be written");
  std::size_t kernels = 0;
  for (const PhaseResult& p : result->phases) kernels += p.timeline.kernels.size();
  if (common.json) {
    print_json(common,
               {{"schema", "presil/trace/1"}, {"trace", output.string()}, {"kernels", kernels}});
  } else {
    fmt::print("{} kernels in {}; open it at https://ui.perfetto.dev\n", kernels, output.string());
  }
  return 0;
}

}  // namespace presil::app
