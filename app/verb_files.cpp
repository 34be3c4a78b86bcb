// check and schema: the files that users write.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "app/output.h"
#include "chip/chip.h"
#include "chip/dram_file.h"
#include "chip/memory_part.h"
#include "chip/network.h"
#include "chip/node.h"
#include "chip/numerics_file.h"
#include "chip/package.h"
#include "cost/prices.h"
#include "explore/parts_json.h"
#include "explore/scenario.h"
#include "kernels/software.h"
#include "model/registry.h"
#include "program/mapping_file.h"
#include "serving/device/radio.h"

namespace presil::app {
namespace {

std::string kind_of(const Node& root) {
  const Node* header = root.kind == Node::Kind::mapping ? root.find("presil") : nullptr;
  return header == nullptr ? "" : header->text.substr(0, header->text.find('/'));
}

struct FileKind {
  std::string_view name;
  void (*read)(const Node&);
  Schema (*schema)();
};

constexpr FileKind kFileKinds[] = {
    {"chip", [](const Node& n) { read_chip(n); }, chip_schema},
    {"memory", [](const Node& n) { read_memory_part(n); }, memory_part_schema},
    {"dram", [](const Node& n) { read_dram_file(n); }, dram_file_schema},
    {"node", [](const Node& n) { read_process_node(n); }, process_node_schema},
    {"package", [](const Node& n) { read_package_kind(n); }, package_kind_schema},
    {"mapping", [](const Node& n) { read_mapping_file(n); }, mapping_file_schema},
    {"network", [](const Node& n) { read_scale_out(n); }, scale_out_schema},
    {"numerics", [](const Node& n) { read_numerics(n); }, numerics_schema},
    {"software", [](const Node& n) { kernels::read_software(n); }, kernels::software_schema},
    {"prices", [](const Node& n) { read_prices(n); }, prices_schema},
    {"radio", [](const Node& n) { serving::read_radio(n); }, serving::radio_schema},
    {"scenario", [](const Node& n) { read_scenario(n); }, scenario_schema},
};

std::vector<std::string> kind_names() {
  std::vector<std::string> names;
  for (const FileKind& k : kFileKinds) names.emplace_back(k.name);
  return names;
}

void check_file(const std::string& path) {
  if (path.ends_with(".json")) {
    read_config(read_document(path, Syntax::json), std::filesystem::path(path).stem().string());
    return;
  }
  const Node root = read_document(path, Syntax::yaml);
  const std::string kind = kind_of(root);
  for (const FileKind& k : kFileKinds) {
    if (k.name == kind) return k.read(root);
  }
  Diagnostics log;
  log.add(root.place, fmt::format("expected \"presil: KIND/1\" with KIND one of {}; found \"{}\"",
                                  fmt::join(kind_names(), ", "), kind));
  log.throw_if_any();
}

/// JSON Schema (draft 2020-12) of the fields that a describing pass recorded.
Json json_schema(const Schema& schema) {
  if (schema.type == "maps by name") {
    return {{"type", "object"}, {"additionalProperties", true}, {"description", schema.doc}};
  }
  if (schema.fields.empty()) {
    Json j = {{"description", schema.doc}};
    if (schema.type == "integer") j["type"] = "integer";
    if (schema.type == "number") j["type"] = "number";
    if (schema.type == "flag") j["type"] = "boolean";
    if (schema.type == "text" || schema.type == "quantity" || schema.type == "choice") {
      j["type"] = "string";
    }
    if (schema.type == "choice") j["enum"] = schema.choices;
    if (schema.type == "numbers") {
      j["type"] = "object";
      j["propertyNames"] = {{"enum", schema.choices}};
    }
    if (!schema.unit_example.empty()) j["examples"] = {schema.unit_example};
    return j;
  }
  Json properties = Json::object();
  Json required = Json::array();
  for (const Schema& field : schema.fields) {
    properties[field.name] = json_schema(field);
    if (field.required) required.push_back(field.name);
  }
  Json object = {{"type", "object"},
                 {"properties", properties},
                 {"required", required},
                 {"additionalProperties", false}};
  if (!schema.doc.empty()) object["description"] = schema.doc;
  if (schema.type == "maps") return {{"type", "array"}, {"items", object}};
  return object;
}

}  // namespace

int check_verb(const Common& common, const std::vector<std::string>& files) {
  std::vector<Diagnostic> all;
  for (const std::string& file : files) {
    try {
      check_file(file);
    } catch (const InputError& e) {
      all.insert(all.end(), e.diagnostics().begin(), e.diagnostics().end());
    }
  }
  if (common.json) {
    print_json(
        common,
        {{"schema", "presil/check/1"}, {"files", files.size()}, {"errors", errors_json(all)}});
    return all.empty() ? 0 : 2;
  }
  if (!all.empty()) throw InputError(std::move(all));
  fmt::print("{} file{} without an error\n", files.size(), files.size() == 1 ? "" : "s");
  return 0;
}

int schema_verb(const Common& common, const std::string& kind) {
  for (const FileKind& k : kFileKinds) {
    if (k.name != kind) continue;
    Json json = json_schema(k.schema());
    json["$schema"] = "https://json-schema.org/draft/2020-12/schema";
    json["title"] = kind;
    Common plain = common;
    plain.host = false;  // a schema is a document, not a result
    print_json(plain, std::move(json));
    return 0;
  }
  const std::string near = nearest(kind, kind_names());
  throw InputError(fmt::format("schema: expected one of {}; found '{}'{}",
                               fmt::join(kind_names(), ", "), kind,
                               near.empty() ? "" : "; did you mean '" + near + "'?"));
}

}  // namespace presil::app
