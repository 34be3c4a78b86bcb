#include "chip/overrides.h"

#include <utility>

#include <fmt/format.h>

namespace presil {
namespace {

/// "tRP: 14 ns" stands for "tRP: {time: 14 ns}". Spells it out where `path` names one half.
void spell_out_timing(Node& root, std::string_view path) {
  Node* timings = root.find("timing");
  if (timings == nullptr || !path.starts_with("timing.")) return;
  const std::string_view name = path.substr(path.find('.') + 1);
  const std::size_t dot = name.find('.');
  Node* timing = timings->find(name.substr(0, dot));
  if (dot == std::string_view::npos || timing == nullptr) return;
  if (timing->kind != Node::Kind::scalar) return;
  Node key;
  key.kind = Node::Kind::scalar;
  key.text = "time";
  key.place = timing->place;
  Node group;
  group.kind = Node::Kind::mapping;
  group.place = timing->place;
  group.members.push_back({std::move(key), std::move(*timing)});
  *timing = std::move(group);
}

void list_paths(const Schema& schema, const std::string& prefix, std::vector<std::string>& paths) {
  for (const Schema& field : schema.fields) {
    paths.push_back(prefix + field.name);
    list_paths(field, paths.back() + ".", paths);
  }
}

}  // namespace

std::vector<Override> split_overrides(const std::vector<std::string>& arguments) {
  std::vector<Override> result;
  Diagnostics log;
  for (const std::string& argument : arguments) {
    auto source = std::make_shared<const Source>(Source{"--set " + argument, argument});
    const std::size_t equals = argument.find('=');
    if (equals == std::string::npos || equals == 0) {
      log.add({source, 1, 1, static_cast<int>(argument.size())},
              "expected key=value, such as dram.stacks=6");
      continue;
    }
    result.push_back({argument.substr(0, equals), argument.substr(equals + 1), std::move(source)});
  }
  log.throw_if_any();
  return result;
}

void merge(Node& into, const Node& value) {
  if (into.kind != Node::Kind::mapping || value.kind != Node::Kind::mapping) {
    into = value;
    return;
  }
  for (const auto& [key, inner] : value.members) merge(into.member(key.text, key.place), inner);
}

bool names_a_field(const Schema& schema, std::string_view path) {
  const std::size_t dot = path.find('.');
  for (const Schema& field : schema.fields) {
    if (field.name != path.substr(0, dot)) continue;
    return dot == std::string_view::npos || names_a_field(field, path.substr(dot + 1));
  }
  return false;
}

std::vector<std::string> field_paths(const Schema& schema) {
  std::vector<std::string> paths;
  list_paths(schema, "", paths);
  return paths;
}

void override_part(Node& root, std::string_view path, const Override& override) {
  spell_out_timing(root, path);
  apply_override(root, path, override.value, override.argument);
}

void set_part_fields(Node& root, const Node& set, const Schema& schema, Diagnostics& log) {
  if (set.kind != Node::Kind::mapping) {
    log.add(set.place, "set: expected a group of fields such as {timing.tRP: 14 ns}");
    return;
  }
  for (const auto& [key, value] : set.members) {
    if (!names_a_field(schema, key.text)) {
      const std::string near = nearest(key.text, field_paths(schema));
      log.add(key.place,
              fmt::format("set: '{}' is no field of a memory part{}", key.text,
                          near.empty() ? "" : fmt::format("; did you mean '{}'?", near)));
      continue;
    }
    spell_out_timing(root, key.text);
    Node* node = &root;
    for (std::string_view rest = key.text;;) {
      const std::size_t dot = rest.find('.');
      node = &node->member(rest.substr(0, dot), key.place);
      if (dot == std::string_view::npos) break;
      rest.remove_prefix(dot + 1);
    }
    merge(*node, value);
  }
}

}  // namespace presil
