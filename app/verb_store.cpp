// ls and report: what was kept.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/keep.h"
#include "app/output.h"
#include "chip/library.h"
#include "model/registry.h"
#include "report/table.h"

namespace presil::app {

int ls_verb(const Common& common) {
  const std::filesystem::path& home = common.places.home;
  Json json = {{"schema", "presil/ls/1"},
               {"chips", names_in(home / "chips")},
               {"memories", names_in(home / "memories")},
               {"models", shipped_models(home)},
               {"networks", names_in(home / "networks")},
               {"numerics", names_in(home / "numerics")},
               {"radios", names_in(home / "radios")},
               {"scenarios", names_in(home / "scenarios")},
               {"runs", Json::array()}};
  if (std::filesystem::exists(common.store)) {
    for (const RunSummary& r : open_store(common)->runs()) {
      json["runs"].push_back({{"id", r.id},
                              {"verb", r.verb},
                              {"chip", r.chip},
                              {"model", r.model},
                              {"status", r.status},
                              {"started", r.started}});
    }
  }
  if (common.json) {
    print_json(common, json);
    return 0;
  }
  for (const char* kind :
       {"chips", "memories", "models", "networks", "numerics", "radios", "scenarios"}) {
    std::string names;
    for (const Json& name : json[kind]) names += " " + name.get<std::string>();
    fmt::print("{:<9}{}\n", kind, names);
  }
  Table table({{"run"}, {"chip"}, {"model"}, {"status"}, {"started (UTC)"}});
  for (const Json& r : json["runs"]) {
    table.add({r["id"].get<std::string>(), r["chip"].get<std::string>(),
               r["model"].get<std::string>(), r["status"].get<std::string>(),
               r["started"].get<std::string>()});
  }
  if (!json["runs"].empty()) fmt::print("\n{}", table.render(colour()));
  return 0;
}

int report_verb(const Common& common, const std::vector<std::string>& ids,
                const std::filesystem::path& output) {
  if (!std::filesystem::exists(common.store)) {
    throw MissingInput(common.store.string() + ": no store here yet; presil run makes one");
  }
  const auto store = open_store(common);
  std::vector<std::string> wanted = ids;
  if (wanted.empty()) {
    const std::vector<RunSummary> runs = store->runs();
    if (runs.empty()) throw MissingInput(common.store.string() + " has no runs yet");
    wanted.push_back(runs.front().id);
  }
  Json runs = Json::array();
  for (const std::string& id : wanted) {
    const auto json = store->run_result(id);
    if (!json) throw MissingInput(fmt::format("{} has no run '{}'", common.store.string(), id));
    runs.push_back(Json::parse(*json));
  }
  write_report(common, output, "Presilicon report", "presil report", {{"runs", runs}});
  if (common.json) {
    print_json(common,
               {{"schema", "presil/report/1"}, {"page", output.string()}, {"runs", wanted}});
  } else {
    fmt::print("report   {}\n", output.string());
  }
  return 0;
}

}  // namespace presil::app
