#include "chip/inputs.h"

#include <fmt/format.h>

namespace presil {
namespace {

class Lister {
 public:
  Lister(const Place& file, const Sources& sources) : file_(file), sources_(sources) {}

  void visit(const Node& node, const std::string& field) {
    for (const auto& [key, value] : node.members) {
      visit(value, field.empty() ? key.text : fmt::format("{}.{}", field, key.text));
    }
    for (const Node& item : node.items) visit(item, field);
    if (node.kind != Node::Kind::scalar) return;
    const bool overridden = node.place.source != file_.source;
    const Provenance* source = overridden ? nullptr : source_of(sources_, field);
    values.push_back({.file = node.place.source ? node.place.source->name : "",
                      .line = overridden ? 0 : node.place.line,
                      .field = field,
                      .text = node.text,
                      .source = source == nullptr ? std::nullopt : std::optional(*source)});
  }

  std::vector<InputValue> values;

 private:
  const Place& file_;
  const Sources& sources_;
};

}  // namespace

std::vector<InputValue> list_inputs(const Node& root, const Sources& sources) {
  Lister lister(root.place, sources);
  for (const auto& [key, value] : root.members) {
    if (key.text != "presil" && key.text != "sources") lister.visit(value, key.text);
  }
  return std::move(lister.values);
}

const Node* find_path(const Node& root, std::string_view path) {
  const Node* node = &root;
  while (node != nullptr) {
    const std::size_t dot = path.find('.');
    node = node->find(path.substr(0, dot));
    if (dot == std::string_view::npos) return node;
    path.remove_prefix(dot + 1);
  }
  return nullptr;
}

const Place& place_of(const Node& root, std::string_view path) {
  const Node* node = find_path(root, path);
  return node == nullptr ? root.place : node->place;
}

}  // namespace presil
