// show: what follows from a chip's files, the shape of a model, or the fields of numerics and of
// networks.
#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/output.h"
#include "chip/derived.h"
#include "explore/parts_json.h"
#include "model/registry.h"
#include "program/numerics_text.h"
#include "report/table.h"

namespace presil::app {
namespace {

int show_model(const Common& common, const Architecture& m) {
  Json json = {{"schema", "presil/show/1"},
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
  if (m.experts.count > 0) {
    json["active_parameters"] = active_parameter_count(m);
    json["experts"] = m.experts.count;
    json["experts_per_token"] = m.experts.per_token;
    json["expert_d_ff"] = m.experts.d_ff;
    json["shared_d_ff"] = m.experts.shared_d_ff;
  }
  json["cache_numbers_per_token"] = m.n_layers * cache_width(m);
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

/// Every value with its source, a rule between files.
std::string inputs_table(const std::vector<InputValue>& values) {
  Table inputs({{"field"}, {"value"}, {"confidence"}, {"source"}});
  std::string file;
  for (const InputValue& v : values) {
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
  return inputs.render(colour());
}

int show_chip(const Common& common, const ChipFiles& files) {
  const std::vector<DerivedFigure> figures = derive(files);
  if (common.json) {
    Json derived = Json::array();
    for (const DerivedFigure& f : figures) {
      derived.push_back(
          {{"name", f.name}, {"value", f.value}, {"unit", f.unit}, {"formula", f.formula}});
    }
    print_json(common, {{"schema", "presil/show/1"},
                        {"kind", "chip"},
                        {"name", files.chip.name},
                        {"numerics", files.numerics.name},
                        {"derived", derived},
                        {"inputs", inputs_json(files.inputs)}});
    return 0;
  }
  Table derived({{"derived"}, {"value", Align::right}, {"from"}});
  for (const DerivedFigure& f : figures)
    derived.add({f.name, Cell(f.text, Tone::strong), f.formula});
  fmt::print("{}\n{}", derived.render(colour()), inputs_table(files.inputs));
  return 0;
}

int show_numerics(const Common& common, const NumericsFiles& files) {
  if (common.json) {
    print_json(common, {{"schema", "presil/show/1"},
                        {"kind", "numerics"},
                        {"name", files.numerics.name},
                        {"definition", print(files.numerics)},
                        {"inputs", inputs_json(files.inputs)}});
    return 0;
  }
  fmt::print("{}\n{}", print(files.numerics), inputs_table(files.inputs));
  return 0;
}

int show_network(const Common& common, const NetworkFiles& files) {
  if (common.json) {
    print_json(common, {{"schema", "presil/show/1"},
                        {"kind", "network"},
                        {"name", files.network.name},
                        {"inputs", inputs_json(files.inputs)}});
    return 0;
  }
  fmt::print("{}", inputs_table(files.inputs));
  return 0;
}

/// By name, by the ending of a file, or a folder.
bool is_model(const std::string& what, const std::filesystem::path& home) {
  const std::vector<std::string> models = shipped_models(home);
  std::error_code error;
  return what.ends_with(".json") || what.ends_with(".gguf") || what.ends_with(".safetensors") ||
         std::find(models.begin(), models.end(), what) != models.end() ||
         std::filesystem::is_directory(what, error);
}

/// By name of a file in home/folder, or by the header of a file: `kind`/1.
bool is_kind(const std::string& what, std::string_view folder, std::string_view kind,
             const std::filesystem::path& home) {
  const std::vector<std::string> names = names_in(home / folder);
  if (std::find(names.begin(), names.end(), what) != names.end()) return true;
  std::error_code error;
  if (!what.ends_with(".yaml") || !std::filesystem::is_regular_file(what, error)) return false;
  const Node root = read_document(what, Syntax::yaml);
  const Node* header = root.kind == Node::Kind::mapping ? root.find("presil") : nullptr;
  return header != nullptr && header->text.starts_with(fmt::format("{}/", kind));
}

}  // namespace

int show_verb(const Common& common, const std::string& what) {
  if (is_model(what, common.places.home)) {
    if (!common.set.empty()) {
      throw InputError(
          fmt::format("--set {}: {} is a model; settings are for chips", common.set.front(), what));
    }
    return show_model(common, read_architecture(resolve_model(what, common.places.home)));
  }
  if (is_kind(what, "numerics", "numerics", common.places.home)) {
    return show_numerics(common, load_numerics(what, common.set, common.places.home));
  }
  if (is_kind(what, "networks", "network", common.places.home)) {
    return show_network(common, load_network(what, common.set, common.places.home));
  }
  return show_chip(common, load_chip(what, common.set, common.places.home));
}

}  // namespace presil::app
