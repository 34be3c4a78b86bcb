// What the store keeps of one run: its inputs, its JSON as printed, and the same in rows, so that
// SQL can ask across runs.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace presil {

/// One number. `scope` is the part it belongs to ("decode", "cost"), the unit is that of the JSON
/// key ("energy_j" is in "J"; "" for a plain number).
struct MetricRow {
  std::string scope;
  std::string name;
  double value = 0;
  std::string unit;
};

/// One operator of one step. `layer` is -1 outside the layers.
struct OpRow {
  std::string phase;
  int layer = -1;
  std::string name;
  std::int64_t start_ps = 0;
  std::int64_t end_ps = 0;
  double flops = 0;
  double dram_bytes = 0;
  std::string bound_by;
};

struct TokenRow {
  std::int64_t id = 0;
  std::string text;
};

struct RunRecord {
  std::string key;  // content_key
  std::string verb;
  std::string chip;
  std::string model;
  std::string chip_sha256;   // of the resolved description; "" when unknown
  std::string model_sha256;  // of the weights or the config; "" when unknown
  std::string config_json;
  std::uint64_t seed = 0;
  std::string tool_version;
  std::string status = "ok";  // or "infeasible": an answer, stored like any other
  double wall_s = 0;
  std::string result_json;
  std::vector<MetricRow> metrics;
  std::vector<OpRow> ops;
  std::vector<TokenRow> tokens;
};

/// Takes the rows out of a verb's JSON ("presil/run/1"): every number under `phases.NAME` and
/// `cost` is a metric, `ops` and `tokens` become rows. Of "presil/dram/1" every number is a metric
/// of the scope "dram". Parts that are absent give no rows. Fills
/// chip, model, result_json, metrics, ops and tokens; the rest is the caller's.
RunRecord record_of(std::string_view result_json);

}  // namespace presil
