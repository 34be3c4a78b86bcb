// numerics: all named arithmetics beside each other, for one model on one chip.
#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/keep.h"
#include "app/output.h"
#include "report/table.h"

namespace presil::app {
namespace {

std::string number(const Json& row, const char* key, const char* format) {
  return row.contains(key) ? fmt::format(fmt::runtime(format), row[key].get<double>()) : "";
}

std::string table_text(const Json& json) {
  Table table({{""},
               {"numerics"},
               {"weights"},
               {"activations"},
               {"GB", Align::right},
               {"bits/weight", Align::right},
               {"perplexity", Align::right},
               {"mean KL", Align::right},
               {"max KL", Align::right},
               {"top-1", Align::right},
               {"prefill tokens/s", Align::right},
               {"decode tokens/s", Align::right},
               {"J/token", Align::right},
               {"note"}});
  const Json& front = json.at("pareto");
  for (std::size_t i = 0; i < json.at("rows").size(); ++i) {
    const Json& row = json["rows"][i];
    const bool best = std::find(front.begin(), front.end(), i) != front.end();
    const auto text = [&](const char* key) { return row.value(key, std::string()); };
    table.add({Cell(best ? "*" : "", Tone::good), Cell(text("name"), Tone::strong), text("weights"),
               text("activations"),
               row.contains("weight_bytes")
                   ? fmt::format("{:.3f}", row["weight_bytes"].get<double>() / 1e9)
                   : "",
               number(row, "bits_per_weight", "{:.2f}"), number(row, "perplexity", "{:.3f}"),
               number(row, "mean_kl", "{:.3g}"), number(row, "max_kl", "{:.3g}"),
               row.contains("top1_agreement")
                   ? fmt::format("{:.1f} %", 100 * row["top1_agreement"].get<double>())
                   : "",
               number(row, "prefill_tokens_per_s", "{:.0f}"),
               number(row, "decode_tokens_per_s", "{:.1f}"),
               number(row, "energy_j_per_token", "{:.3g}"),
               Cell(text("reason") + text("no_speed"), Tone::warning)});
  }
  return table.render(colour());
}

}  // namespace

int numerics_verb(const Common& common, NumericsTableRequest request) {
  request.run.overrides = common.set;
  const auto answer = numerics_table(request, common.places);
  if (!answer) return answer_no(common, request.run, answer.error());
  const Json& json = *answer;
  const std::filesystem::path page = common.store.parent_path() / "numerics.html";
  write_report(
      common, page,
      fmt::format("{} on {}: quality and speed of its numerics",
                  json.at("model").get<std::string>(), json.at("chip").get<std::string>()),
      fmt::format("presil numerics {} {}{} --tokens {}", request.run.chip, request.run.model,
                  request.text.empty() ? "" : " --text " + request.text.string(), request.tokens),
      {{"numerics", json}});
  if (common.json) {
    print_json(common, json);
    return 0;
  }
  const Json& step = json.at("step");
  fmt::print(
      "{} on {}, {} tokens of {}, compared with {}\n\n{}\n"
      "* not beaten in both quality (mean KL) and decode speed\n"
      "speed    prefill of {} tokens; decode after {}, batch {}\n"
      "page     {}\n",
      json.at("model").get<std::string>(), json.at("chip").get<std::string>(),
      json.at("text").at("tokens").get<std::int64_t>(),
      json.at("text").at("file").get<std::string>(), json.at("compared_with").get<std::string>(),
      table_text(json), step.at("prompt_tokens").get<std::int64_t>(),
      step.at("context").get<std::int64_t>(), step.at("batch").get<std::int64_t>(), page.string());
  return 0;
}

}  // namespace presil::app
