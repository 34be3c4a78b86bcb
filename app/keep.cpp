#include "app/keep.h"

#include <fstream>

#include <nlohmann/json.hpp>

#include "base/version.h"
#include "report/page.h"
#include "store/key.h"

namespace presil::app {

std::unique_ptr<Store> open_store(const Common& common) {
  const std::filesystem::path folder = common.store.parent_path();
  std::error_code error;
  if (!folder.empty()) std::filesystem::create_directories(folder, error);
  if (error) throw InputError("--store " + common.store.string() + ": " + error.message());
  return std::make_unique<Store>(common.store);
}

std::string keep_run(Store& store, const Common& common, const RunResult& result, const Json& run) {
  RunRecord record = record_of(run.dump());
  const Json config = {{"request", run.at("request")}, {"inputs", run.at("inputs")}};
  record.verb = "run";
  record.config_json = config.dump();
  record.model_sha256 = result.weights_id.sha256;
  record.seed = common.seed;
  record.tool_version = std::string(kVersion);
  const Json hashed = {{"config", config},
                       {"weights", run.at("weights")},
                       {"point", fingerprint(result, common.places)}};
  record.key = content_key(hashed.dump(), kVersion, common.seed);
  return store.add(record);
}

std::string keep_dram(Store& store, const Common& common, const DramRun& run, const Json& json) {
  RunRecord record = record_of(json.dump());
  const Json config = {{"request", json.at("request")}, {"inputs", json.at("inputs")}};
  record.verb = "dram";
  record.chip = run.files.part.name;
  record.model = run.request.pattern;
  record.config_json = config.dump();
  record.model_sha256 = run.trace_sha256;
  record.seed = common.seed;
  record.tool_version = std::string(kVersion);
  const Json hashed = {{"verb", "dram"}, {"config", config}, {"trace", run.trace_sha256}};
  record.key = content_key(hashed.dump(), kVersion, common.seed);
  return store.add(record);
}

void write_report(const Common& common, const std::filesystem::path& path, std::string_view title,
                  std::string_view command, const Json& parts) {
  Json report = {{"schema", "presil/report/1"},
                 {"title", title},
                 {"command", command},
                 {"tool_version", kVersion}};
  report.update(parts);
  write_page(path, report, common.charts);
  std::filesystem::path json = path;
  json.replace_extension(".json");
  std::ofstream file(json);
  file << report.dump(1, ' ', false, Json::error_handler_t::replace) << "\n";
  file.close();
  if (!file) throw LimitReached(json.string() + ": cannot be written");
}

}  // namespace presil::app
