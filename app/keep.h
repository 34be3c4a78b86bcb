// Keeping results: the store, and the report page made from what is in it.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "app/verbs.h"
#include "explore/dram_run.h"
#include "explore/run_json.h"
#include "store/store.h"

namespace presil::app {

/// Opens the store of --store, and its folder.
std::unique_ptr<Store> open_store(const Common& common);

/// Keeps `result`, whose JSON is `run`, under the hash of all that it depends on; returns its id.
std::string keep_run(Store& store, const Common& common, const RunResult& result, const Json& run);

/// The same for a memory by itself: its part stands as the chip, its pattern as the model.
std::string keep_dram(Store& store, const Common& common, const DramRun& run, const Json& json);

/// Writes the page of `parts` (of "presil/report/1": runs, sweep, numerics) to `path`, and beside
/// it the same as JSON (path with .json).
void write_report(const Common& common, const std::filesystem::path& path, std::string_view title,
                  std::string_view command, const Json& parts);

}  // namespace presil::app
