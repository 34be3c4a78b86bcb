// verify silicon: are the times right, by measured kernels?
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/output.h"
#include "report/table.h"

namespace presil::app {
namespace {

using silicon::Errors;
using silicon::Headline;
using silicon::Score;
using silicon::SiliconReport;

void add_errors(Json& json, const Errors& e) {
  json["rows"] = e.rows;
  json["mape"] = e.mape;
  json["median_ape"] = e.median_ape;
  json["p90_ape"] = e.p90_ape;
  json["bias"] = e.bias;
  json["roofline_mape"] = e.roofline_mape;
}

Json to_json(const Score& s) {
  Json json = {{"op", s.op},         {"kind", s.kind},         {"chip", s.chip},
               {"dtype", s.dtype},   {"kv_dtype", s.kv_dtype}, {"backend", s.backend},
               {"regime", s.regime}, {"skipped", s.skipped}};
  add_errors(json, s.errors);
  return json;
}

Json to_json(const SiliconReport& report) {
  Json scores = Json::array();
  for (const Score& s : report.board.scores) scores.push_back(to_json(s));
  Json headline = Json::array();
  for (const Headline& h : report.board.headline) {
    Json line = {{"op", h.op},
                 {"dtype", h.dtype},
                 {"chips", h.chips},
                 {"mean_over_chips", h.mean_over_chips}};
    add_errors(line, h.errors);
    headline.push_back(std::move(line));
  }
  Json skipped = Json::array();
  for (const auto& [key, rows] : report.skipped) {
    skipped.push_back({{"reason", key.reason},
                       {"rows", rows},
                       {"op", key.op},
                       {"kind", key.kind},
                       {"chip", key.chip},
                       {"dtype", key.dtype},
                       {"kv_dtype", key.kv_dtype},
                       {"backend", key.backend}});
  }
  return {{"schema", "presil/verify/1"}, {"what", "silicon"},
          {"headline", headline},        {"scores", scores},
          {"skipped", skipped},          {"fitted_on", report.fitted_on},
          {"notes", report.notes},       {"worse", report.worse},
          {"written", report.written}};
}

std::string percent(double value) {
  return fmt::format("{:.1f}", value);
}

void print(const SiliconReport& report) {
  Table scores({{"operator"},
                {"kind"},
                {"chip"},
                {"type"},
                {"engine"},
                {"regime"},
                {"rows", Align::right},
                {"skipped", Align::right},
                {"mean %", Align::right},
                {"median", Align::right},
                {"90th", Align::right},
                {"bias", Align::right},
                {"roofline", Align::right}});
  for (const Score& s : report.board.scores) {
    const std::string type = s.dtype == s.kv_dtype ? s.dtype : s.dtype + "/" + s.kv_dtype;
    scores.add({s.op, s.kind == s.op ? "" : s.kind, s.chip, type, s.backend, s.regime,
                std::to_string(s.errors.rows), std::to_string(s.skipped), percent(s.errors.mape),
                percent(s.errors.median_ape), percent(s.errors.p90_ape), percent(s.errors.bias),
                percent(s.errors.roofline_mape)});
  }
  Table headline({{"operator"},
                  {"type"},
                  {"rows", Align::right},
                  {"mean %", Align::right},
                  {"mean over chips", Align::right},
                  {"roofline", Align::right}});
  for (const Headline& h : report.board.headline) {
    headline.add({h.op, h.dtype, std::to_string(h.errors.rows), percent(h.errors.mape),
                  percent(h.mean_over_chips), percent(h.errors.roofline_mape)});
  }
  fmt::print("{}\n{}\n", scores.render(colour()), headline.render(colour()));
  for (const auto& [key, rows] : report.skipped) {
    fmt::print("skipped  {} rows of {} on {}, {}, {}: {}\n", rows, key.op, key.chip, key.dtype,
               key.backend, key.reason);
  }
  for (const std::string& line : report.fitted_on) fmt::print("fitted   {}\n", line);
  for (const std::string& line : report.notes) fmt::print("note     {}\n", line);
  for (const std::string& line : report.written) fmt::print("written  {}\n", line);
  for (const std::string& line : report.worse) fmt::print("WORSE    {}\n", line);
}

}  // namespace

int verify_silicon_verb(const Common& common, const SiliconRequest& request) {
  const SiliconReport report = verify_silicon(request, common.places.home);
  if (common.json) {
    print_json(common, to_json(report));
  } else {
    print(report);
  }
  return report.worse.empty() ? 0 : 1;
}

}  // namespace presil::app
