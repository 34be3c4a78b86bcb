// The verbs of the command line. Each takes its parsed options, prints its answer on stdout (one
// JSON object with --json, else text for a person) and returns the exit code of an answer: 0, or 1
// when the answer is no. Everything else is thrown; main turns it into a code.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "explore/chat.h"
#include "explore/cost_request.h"
#include "explore/dram_run.h"
#include "explore/numerics_table.h"
#include "explore/run.h"
#include "explore/verify_values.h"
#include "silicon/verify.h"

namespace presil::app {

/// Options that every verb takes.
struct Common {
  bool json = false;
  bool host = true;  // the only part of the JSON that may differ between two equal runs
  std::filesystem::path store = "out/runs.sqlite";
  std::uint64_t seed = 0;
  std::vector<std::string> set;
  Places places;
  std::filesystem::path charts;  // the chart library of the report
};

using silicon::SiliconRequest;

int run_verb(const Common& common, RunRequest request);
/// What `presil serve` is asked.
struct ServeRequest {
  std::string scenario;                      // a file, or the name of a shipped one
  std::optional<std::string> find_max_rate;  // a promise, instead of the scenario's own
};

int serve_verb(const Common& common, const ServeRequest& request);
int sweep_verb(const Common& common, RunRequest request);
int numerics_verb(const Common& common, NumericsTableRequest request);
int chat_verb(const Common& common, ChatRequest request);
int demo_verb(const Common& common);
int dram_verb(const Common& common, DramRequest request);
int compile_verb(const Common& common, const RunRequest& request, const std::string& emit);
int show_verb(const Common& common, const std::string& what);
int cost_verb(const Common& common, CostRequest request);
int dram_check_verb(const Common& common, const std::string& log, const std::string& part,
                    const std::string& rate);
int explain_verb(const Common& common, const std::string& run);
int trace_verb(const Common& common, const std::string& run, const std::filesystem::path& output);
int verify_values_verb(const Common& common, VerifyRequest request);
int verify_silicon_verb(const Common& common, const SiliconRequest& request);
int check_verb(const Common& common, const std::vector<std::string>& files);
int schema_verb(const Common& common, const std::string& kind);
int ls_verb(const Common& common);
int report_verb(const Common& common, const std::vector<std::string>& runs,
                const std::filesystem::path& output);

}  // namespace presil::app
