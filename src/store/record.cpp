#include "store/record.h"

#include <array>
#include <cmath>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/error.h"

namespace presil {

namespace {

using Json = nlohmann::ordered_json;

// In our JSON the key carries the unit.
constexpr std::array<std::pair<std::string_view, std::string_view>, 7> kUnitOfSuffix = {{
    {"_per_s", "1/s"},
    {"_gbs", "GB/s"},
    {"_bytes", "B"},
    {"_s", "s"},
    {"_j", "J"},
    {"_w", "W"},
    {"_ps", "ps"},
}};

std::string unit_of(std::string_view key) {
  for (const auto& [suffix, unit] : kUnitOfSuffix) {
    if (key.ends_with(suffix)) return std::string(unit);
  }
  return key.starts_with("usd") ? "USD" : "";
}

const Json& at(const Json& json, const char* key) {
  static const Json nothing;
  const auto found = json.is_object() ? json.find(key) : json.end();
  return json.is_object() && found != json.end() ? *found : nothing;
}

std::string text_at(const Json& json, const char* key) {
  const Json& value = at(json, key);
  return value.is_string() ? value.get<std::string>() : "";
}

double number_at(const Json& json, const char* key) {
  const Json& value = at(json, key);
  return value.is_number() ? value.get<double>() : 0.0;
}

std::int64_t picoseconds(double seconds) {
  return std::llround(seconds * 1e12);
}

// Numbers of nested objects get dotted names: dram.commands.ACT.
void add_metrics(const Json& json, const std::string& scope, const std::string& prefix,
                 std::vector<MetricRow>& rows) {
  if (!json.is_object()) return;
  for (const auto& [key, value] : json.items()) {
    const std::string name = prefix + key;
    if (value.is_number()) {
      rows.push_back(
          {.scope = scope, .name = name, .value = value.get<double>(), .unit = unit_of(key)});
    } else {
      add_metrics(value, scope, name + ".", rows);
    }
  }
}

OpRow op_of(const Json& op) {
  const Json& layer = at(op, "layer");
  return {.phase = text_at(op, "phase"),
          .layer = layer.is_number_integer() ? layer.get<int>() : -1,
          .name = text_at(op, "name"),
          .start_ps = picoseconds(number_at(op, "start_s")),
          .end_ps = picoseconds(number_at(op, "end_s")),
          .flops = number_at(op, "flops"),
          .dram_bytes = number_at(op, "dram_bytes"),
          .bound_by = text_at(op, "bound_by")};
}

}  // namespace

RunRecord record_of(std::string_view result_json) {
  const Json result = Json::parse(result_json, nullptr, /*allow_exceptions=*/false);
  CHECK(result.is_object(), "a result is a JSON object");
  RunRecord record;
  record.chip = text_at(result, "chip");
  record.model = text_at(result, "model");
  record.result_json = std::string(result_json);
  if (const Json& phases = at(result, "phases"); phases.is_object()) {
    for (const auto& [phase, values] : phases.items()) {
      add_metrics(values, phase, "", record.metrics);
    }
  }
  add_metrics(at(result, "cost"), "cost", "", record.metrics);
  if (text_at(result, "schema") == "presil/dram/1") add_metrics(result, "dram", "", record.metrics);
  for (const Json& op : at(result, "ops")) record.ops.push_back(op_of(op));
  for (const Json& token : at(result, "tokens")) {
    record.tokens.push_back(
        {.id = static_cast<std::int64_t>(number_at(token, "id")), .text = text_at(token, "text")});
  }
  return record;
}

}  // namespace presil
