// show, ls, cost, compile, check, schema and report: the verbs that look.
#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/keep.h"
#include "app/output.h"
#include "base/terminal.h"
#include "chip/derived.h"
#include "cost/price.h"
#include "cost/prices.h"
#include "model/registry.h"
#include "program/text.h"
#include "report/table.h"

namespace presil::app {
namespace {

bool colour() {
  return terminal_of(1).colour;
}

int show_model(const Common& common, const Architecture& m) {
  const Json json = {{"schema", "presil/show/1"},
                     {"kind", "model"},
                     {"name", m.name},
                     {"family", m.family},
                     {"parameters", parameter_count(m)},
                     {"n_layers", m.n_layers},
                     {"d_model", m.d_model},
                     {"d_ff", m.d_ff},
                     {"n_heads", m.n_heads},
                     {"n_kv_heads", m.n_kv_heads},
                     {"head_dim", m.head_dim},
                     {"vocab_size", m.vocab_size},
                     {"max_context", m.max_context},
                     {"tied_embeddings", m.tied_embeddings},
                     {"dtype", to_string(m.dtype)}};
  if (common.json) {
    print_json(common, json);
    return 0;
  }
  for (const auto& [key, value] : json.items()) {
    if (key != "schema")
      fmt::print("{:<16} {}\n", key, value.is_string() ? value.get<std::string>() : value.dump());
  }
  return 0;
}

int show_chip(const Common& common, const ChipFiles& files) {
  const std::vector<DerivedFigure> figures = derive(files);
  if (common.json) {
    Json derived = Json::array();
    for (const DerivedFigure& f : figures) {
      derived.push_back(
          {{"name", f.name}, {"value", f.value}, {"unit", f.unit}, {"formula", f.formula}});
    }
    Json inputs = Json::array();
    for (const InputValue& v : files.inputs) {
      Json j = {{"file", v.file}, {"line", v.line}, {"field", v.field}, {"value", v.text}};
      if (v.source) {
        j["confidence"] = to_string(v.source->confidence);
        j["ref"] = v.source->reference;
      }
      inputs.push_back(std::move(j));
    }
    print_json(common, {{"schema", "presil/show/1"},
                        {"kind", "chip"},
                        {"name", files.chip.name},
                        {"derived", derived},
                        {"inputs", inputs}});
    return 0;
  }
  Table derived({{"derived"}, {"value", Align::right}, {"from"}});
  for (const DerivedFigure& f : figures)
    derived.add({f.name, Cell(f.text, Tone::strong), f.formula});
  Table inputs({{"field"}, {"value"}, {"confidence"}, {"source"}});
  std::string file;
  for (const InputValue& v : files.inputs) {
    if (v.file != file) {
      if (!file.empty()) inputs.add_rule();
      file = v.file;
    }
    const bool estimate = v.source && v.source->confidence == Confidence::estimate;
    inputs.add({v.field, v.text,
                Cell(v.source ? std::string(to_string(v.source->confidence)) : "",
                     estimate ? Tone::warning : Tone::plain),
                Cell(v.source ? v.source->reference : "", Tone::dim)});
  }
  fmt::print("{}\n{}", derived.render(colour()), inputs.render(colour()));
  return 0;
}

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
    {"node", [](const Node& n) { read_process_node(n); }, process_node_schema},
    {"package", [](const Node& n) { read_package_kind(n); }, package_kind_schema},
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
  log.add(root.place,
          fmt::format("expected \"presil: KIND/1\" with KIND one of chip, memory, node, "
                      "package; found \"{}\"",
                      kind));
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

int show_verb(const Common& common, const std::string& what) {
  const std::vector<std::string> models = shipped_models(common.places.home);
  const bool is_model = what.ends_with(".json") || what.ends_with(".gguf") ||
                        std::find(models.begin(), models.end(), what) != models.end();
  if (is_model) {
    return show_model(common, read_architecture(resolve_model(what, common.places.home)));
  }
  return show_chip(common, load_chip(what, common.set, common.places.home));
}

int compile_verb(const Common& common, const RunRequest& base, const std::string& emit) {
  RunRequest request = base;
  request.overrides = common.set;
  const auto prepared = prepare(request, common.places);
  if (!prepared) return answer_no(common, request, prepared.error());
  const Program& p = prepared->program;
  if (!common.json && emit == "text") {
    fmt::print("{}", print(p));
    return 0;
  }
  std::int64_t kernels = 0;
  Json blocks = Json::array();
  for (const Block& block : p.blocks) {
    kernels += block.repeat * static_cast<std::int64_t>(block.kernels.size());
    Json names = Json::array();
    for (const Kernel& k : block.kernels) {
      names.push_back({{"name", k.name}, {"op", to_string(k.op)}, {"mappings", k.mappings.size()}});
    }
    blocks.push_back({{"name", block.name}, {"repeat", block.repeat}, {"kernels", names}});
  }
  const Json json = {{"schema", "presil/compile/1"},
                     {"model", p.model},
                     {"chip", p.chip},
                     {"kernels", kernels},
                     {"tensors", p.tensors.size()},
                     {"weight_footprint_bytes", p.weight_footprint.count()},
                     {"blocks", blocks},
                     {"program", print(p)}};
  if (common.json || emit == "json") {
    print_json(common, json);
  } else {
    fmt::print("kernels          {}\ntensors          {}\nweight_footprint {}\n", kernels,
               p.tensors.size(), to_string(p.weight_footprint));
  }
  return 0;
}

int cost_verb(const Common& common, const std::string& name, std::int64_t volume) {
  const ChipFiles files = load_chip(name, common.set, common.places.home);
  const Prices prices = load_prices(common.places.home);
  PriceOptions options;
  options.volume = volume;
  const ChipPrice price = price_chip(files, prices, options);
  if (common.json) {
    Json lines = Json::array();
    for (const CostLine& l : price.lines) {
      lines.push_back({{"name", l.name},
                       {"low", l.usd.low},
                       {"typical", l.usd.typical},
                       {"high", l.usd.high},
                       {"source", l.source}});
    }
    print_json(common, {{"schema", "presil/cost/1"},
                        {"chip", files.chip.name},
                        {"lines", lines},
                        {"usd_per_chip",
                         {{"low", price.usd_per_chip.low},
                          {"typical", price.usd_per_chip.typical},
                          {"high", price.usd_per_chip.high}}},
                        {"dies_per_wafer", price.dies_per_wafer},
                        {"yield", price.yield},
                        {"package_yield", price.package_yield},
                        {"wafers", price.wafers},
                        {"stacks", price.stacks}});
    return 0;
  }
  Table table({{"USD a chip"},
               {"low", Align::right},
               {"typical", Align::right},
               {"high", Align::right},
               {"from"}});
  const auto row = [&](const std::string& title, const Band& b, const std::string& from) {
    table.add({title, fmt::format("{:.0f}", b.low), fmt::format("{:.0f}", b.typical),
               fmt::format("{:.0f}", b.high), Cell(from, Tone::dim)});
  };
  for (const CostLine& l : price.lines) row(l.name, l.usd, l.source);
  table.add_rule();
  row("total", price.usd_per_chip,
      fmt::format("{} dies a wafer, yield {:.0f} %, assembly {:.0f} %", price.dies_per_wafer,
                  100 * price.yield, 100 * price.package_yield));
  fmt::print("{}", table.render(colour()));
  return 0;
}

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
    Json errors = Json::array();
    for (const Diagnostic& d : all) {
      errors.push_back(
          {{"file", d.file}, {"line", d.line}, {"column", d.column}, {"message", d.message}});
    }
    print_json(common, {{"schema", "presil/check/1"}, {"files", files.size()}, {"errors", errors}});
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
  throw InputError(fmt::format("schema: expected chip, memory, node or package, found '{}'{}", kind,
                               near.empty() ? "" : "; did you mean '" + near + "'?"));
}

int ls_verb(const Common& common) {
  const std::filesystem::path& home = common.places.home;
  Json json = {{"schema", "presil/ls/1"},
               {"chips", names_in(home / "chips")},
               {"memories", names_in(home / "memories")},
               {"models", shipped_models(home)},
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
  for (const char* kind : {"chips", "memories", "models"}) {
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
  write_report(common, output, "Presilicon report", "presil report", runs, nullptr);
  if (common.json) {
    print_json(common,
               {{"schema", "presil/report/1"}, {"page", output.string()}, {"runs", wanted}});
  } else {
    fmt::print("report   {}\n", output.string());
  }
  return 0;
}

}  // namespace presil::app
