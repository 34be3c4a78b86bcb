// run, sweep and demo: the verbs that compute.
#include <cstdio>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/keep.h"
#include "app/output.h"
#include "base/interrupt.h"
#include "base/parallel.h"
#include "base/progress.h"
#include "base/terminal.h"
#include "explore/sweep.h"
#include "report/table.h"
#include "report/text_width.h"

namespace presil::app {
namespace {

/// Text as it comes, on stderr and only for a person: the whole of it is in the answer.
std::function<void(std::string_view)> streamer() {
  const bool interactive = terminal_of(2).interactive;
  return [interactive](std::string_view piece) {
    check_interrupt();
    if (!interactive) return;
    fmt::print(stderr, "{}", printable(piece));
    std::fflush(stderr);
  };
}

void end_stream() {
  if (terminal_of(2).interactive) fmt::print(stderr, "\n");
}

std::string settings_text(const Json& set) {
  std::string text;
  for (const auto& [key, value] : set.items()) {
    text += fmt::format("{}{}={}", text.empty() ? "" : " ", key, value.get<std::string>());
  }
  return text;
}

std::string sweep_table(const Json& sweep) {
  Table table({{"", Align::left},
               {"setting"},
               {"prefill tokens/s", Align::right},
               {"bound by"},
               {"decode tokens/s", Align::right},
               {"bound by"},
               {"DRAM of peak", Align::right},
               {"J/token", Align::right},
               {"USD/Mtoken", Align::right}});
  for (std::size_t i = 0; i < sweep.at("points").size(); ++i) {
    const Json& p = sweep["points"][i];
    const auto& front = sweep.at("pareto");
    const bool best = std::find(front.begin(), front.end(), i) != front.end();
    std::vector<Cell> row = {Cell(best ? "*" : "", Tone::good), settings_text(p.at("set"))};
    if (p.at("status") != "ok") {
      row.emplace_back("no: " + p.at("reason").get<std::string>(), Tone::warning);
      while (row.size() < 9) row.emplace_back("");
      table.add(std::move(row));
      continue;
    }
    const Json& phases = p.at("phases");
    for (const char* phase : {"prefill", "decode"}) {
      if (!phases.contains(phase)) {
        row.insert(row.end(), {Cell(""), Cell("")});
        continue;
      }
      row.emplace_back(fmt::format("{:.1f}", phases[phase].at("tokens_per_s").get<double>()));
      row.emplace_back(phases[phase].at("bound_by").get<std::string>(), Tone::strong);
    }
    const Json& last = phases.contains("decode") ? phases["decode"] : phases["prefill"];
    row.emplace_back(fmt::format("{:.0f} %", 100 * last.at("dram_efficiency").get<double>()));
    row.emplace_back(
        fmt::format("{:.4g}", last.at("energy_j").get<double>() / last.at("tokens").get<double>()));
    row.emplace_back(p.at("cost").contains("usd_per_mtoken")
                         ? fmt::format("{:.3f}", p["cost"]["usd_per_mtoken"].get<double>())
                         : "");
    table.add(std::move(row));
  }
  return table.render(colour());
}

}  // namespace

int run_verb(const Common& common, RunRequest request) {
  request.overrides = common.set;
  request.sampling.seed = common.seed;
  const auto result = run(request, common.places, streamer());
  if (!result) return answer_no(common, request, result.error());
  if (result->text) end_stream();
  const Json json = to_json(*result);
  const auto store = open_store(common);
  const std::string id = keep_run(*store, common, *result, json);
  if (common.json) {
    print_json(common, json);
  } else {
    fmt::print("{}stored   run {} in {}\n", describe(*result, colour()), id, common.store.string());
  }
  return 0;
}

int sweep_verb(const Common& common, RunRequest request) {
  if (common.set.empty()) throw InputError("sweep: expected at least one --set key=a,b,c");
  std::vector<SweepAxis> axes;
  for (const std::string& argument : common.set) axes.push_back(parse_axis(argument));
  const auto store = open_store(common);
  request.mode = Mode::cycles;
  std::int64_t reused = 0;
  Json json = sweep(request, axes, common.places, *store, reused);
  if (common.json) {
    if (common.host) json["host"] = {{"reused_points", reused}};
    print_json(common, std::move(json));
    return 0;
  }
  const std::filesystem::path page = common.store.parent_path() / "sweep.html";
  write_report(common, page, fmt::format("{} on {}: a sweep", request.model, request.chip),
               "presil sweep", {{"sweep", json}});
  fmt::print("{}* not beaten in both speed and price\npage     {}\n", sweep_table(json),
             page.string());
  return 0;
}

int demo_verb(const Common& common) {
  // Real text on a chip that does not exist, and what the same chip does with the large models.
  RunRequest text;
  text.chip = "artemis-hbm3e";
  text.model = "smollm2-135m";
  text.mode = Mode::both;
  text.prompt = "The capital of France is";
  text.max_tokens = 32;
  text.numerics = "ggml";  // what the four-bit weights of the file were made for
  RunRequest large = text;
  large.mode = Mode::cycles;
  large.prompt.reset();
  large.numerics.clear();  // the chip's own
  large.prompt_tokens = large.context = 1024;
  std::vector<RunRequest> requests = {text, large, large};
  requests[1].model = "llama-3-8b";
  requests[2].model = "llama-3-70b";

  // The text first, as it comes; the large models then side by side.
  std::vector<std::optional<Feasible<RunResult>>> answers(requests.size());
  const auto answer = [&](std::size_t i) {
    requests[i].overrides = common.set;
    answers[i] = run(requests[i], common.places, streamer());
  };
  answer(0);
  end_stream();
  {
    Progress progress("Llama-3-8B and Llama-3-70B", 2);
    parallel_each(requests.size() - 1, [&](std::size_t i) {
      answer(1 + i);
      progress.advance();
    });
  }

  const auto store = open_store(common);
  std::vector<RunResult> results;
  Json runs = Json::array();
  for (std::size_t i = 0; i < requests.size(); ++i) {
    Feasible<RunResult>& result = *answers[i];
    if (!result) return answer_no(common, requests[i], result.error());
    runs.push_back(to_json(*result));
    keep_run(*store, common, *result, runs.back());
    results.push_back(std::move(*result));
  }
  const std::filesystem::path page = common.store.parent_path() / "report.html";
  write_report(common, page, "Llama on artemis-hbm3e, a chip that does not exist", "presil demo",
               {{"runs", runs}});
  if (common.json) {
    print_json(common, {{"schema", "presil/demo/1"}, {"runs", runs}, {"report", page.string()}});
    return 0;
  }
  fmt::print("{}\n{}\nreport   {}\n", describe(results.front(), colour()),
             phase_table(results, colour()), page.string());
  return 0;
}

}  // namespace presil::app
