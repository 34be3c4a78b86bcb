#include "chip/library.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "chip/dram_file.h"
#include "chip/numerics_file.h"
#include "chip/overrides.h"
#include "chip/sram_part.h"

namespace presil {
namespace fs = std::filesystem;
namespace {

/// The overrides meant for one file: those whose path starts with `prefix` and names no field of
/// the chip (package.kind is the chip's, package.attach_yield the package's). "" takes the rest.
void override_from(Node& root, std::string_view prefix, const std::vector<Override>& overrides,
                   const Schema& chip) {
  for (const Override& o : overrides) {
    std::string_view owner;
    for (const std::string_view p : {"memory.", "node.", "package.", "numerics.", "scale_out."}) {
      if (o.path.starts_with(p) && !names_a_field(chip, o.path)) owner = p;
    }
    if (owner != prefix) continue;
    const std::string_view path = std::string_view(o.path).substr(prefix.size());
    if (prefix == "memory.") {
      override_part(root, path, o);
    } else {
      apply_override(root, path, o.value, o.argument);
    }
  }
}

bool has_alias(const fs::path& file, const std::string& name) {
  const Node root = read_document(file, Syntax::yaml);
  const Node* alias = root.find("alias");
  if (alias == nullptr) return false;
  if (alias->kind == Node::Kind::scalar) return alias->text == name;
  return std::any_of(alias->items.begin(), alias->items.end(),
                     [&](const Node& item) { return item.text == name; });
}

fs::path find_chip(const std::string& chip, const fs::path& home) {
  std::error_code error;
  if (fs::is_regular_file(chip, error)) return chip;
  const std::vector<std::string> names = names_in(home / "chips");
  for (const std::string& name : names) {
    if (name == chip) return home / "chips" / (name + ".yaml");
  }
  for (const std::string& name : names) {
    const fs::path file = home / "chips" / (name + ".yaml");
    if (has_alias(file, chip)) return file;
  }
  refuse_name("chip", "chips", chip, home);
}

/// The file that the field at `path` names, in home/folder. Complains at the field.
fs::path find_named(const Node& chip, std::string_view path, const fs::path& home,
                    std::string_view folder, Diagnostics& log) {
  const Node* field = find_path(chip, path);
  CHECK(field != nullptr, "the chip was read, so it names its parts");
  const std::vector<std::string> names = names_in(home / folder);
  if (std::find(names.begin(), names.end(), field->text) == names.end()) {
    const std::string near = nearest(field->text, names);
    log.add(field->place,
            fmt::format("{}: no file '{}.yaml' in {}/{}", path, field->text, folder,
                        near.empty() ? "" : fmt::format("; did you mean '{}'?", near)));
  }
  return home / folder / (field->text + ".yaml");
}

/// Rules between the chip and the files that it names.
void check_together(const ChipFiles& f, const Node& root, Diagnostics& log) {
  if (!f.chip.dram.is_on_chip()) check_driving(f.chip.dram, f.memory, root, "dram.", log);
  if (f.chip.die.area > f.node.reticle) {
    log.add(place_of(root, "die.area"),
            fmt::format("die.area: expected at most {}, the reticle of {}; use die.count for more "
                        "dies",
                        to_string(f.node.reticle), f.node.name));
  }
  if (f.memory.family.starts_with("hbm") && !f.package.interposer) {
    log.add(place_of(root, "package.kind"),
            fmt::format("package.kind: {} stacks need an interposer, and {} has none",
                        f.memory.name, f.package.name));
  }
}

/// The die's area, unless the file gives it, is that of its blocks on its node; blocks must not
/// take more than a given area.
void sum_blocks(Die& die, const ProcessNode& node, const Node& root, Diagnostics& log) {
  if (die.blocks.empty()) return;
  const SquareMillimetres blocks = area_of(die.blocks, node.logic_area, node.sram_bitcell).total();
  if (die.area == SquareMillimetres(0)) die.area = blocks;
  if (blocks > die.area) {
    log.add(place_of(root, "die.blocks"),
            fmt::format("die.blocks: they take {} on {}, more than die.area, {}", to_string(blocks),
                        node.name, to_string(die.area)));
  }
}

/// Of a chip without DRAM no part can be changed.
void refuse_memory_fields(const std::vector<Override>& overrides, const Chip& chip,
                          Diagnostics& log) {
  for (const Override& o : overrides) {
    if (!o.path.starts_with("memory.")) continue;
    log.add({o.argument, 1, 1, static_cast<int>(o.path.size())},
            fmt::format("{} has no DRAM; its memory is sram", chip.name));
  }
}

fs::path find_numerics(const std::string& name, const fs::path& home) {
  std::error_code error;
  if (fs::is_regular_file(name, error)) return name;
  const std::vector<std::string> names = names_in(home / "numerics");
  if (std::find(names.begin(), names.end(), name) == names.end()) {
    refuse_name("set of numerics", "numerics", name, home);
  }
  return home / "numerics" / (name + ".yaml");
}

/// The file that `choice` or the chip's own `numerics` field names, with the fields that the latter
/// changes.
struct NumericsDocument {
  fs::path file;
  Node root;
  bool changed = false;
};

NumericsDocument numerics_document(const Node& chip, const NumericsChoice& choice,
                                   const fs::path& home) {
  const Node* own = chip.find("numerics");
  if (own == nullptr || own->kind == Node::Kind::null || !choice.instead.empty()) {
    const fs::path file =
        find_numerics(choice.instead.empty() ? choice.otherwise : choice.instead, home);
    return {file, read_document(file, Syntax::yaml, home)};
  }
  Diagnostics log;
  const bool is_block = own->kind == Node::Kind::mapping;
  const std::string_view path = is_block ? "numerics.base" : "numerics";
  const Node* name = find_path(chip, path);
  if (name == nullptr || name->kind != Node::Kind::scalar) {
    log.add(own->place,
            "numerics: expected a file in numerics/, or {base: NAME, ...} with fields changed");
    log.throw_if_any();
  }
  NumericsDocument document;
  document.file = find_named(chip, path, home, "numerics", log);
  log.throw_if_any();
  document.root = read_document(document.file, Syntax::yaml, home);
  if (!is_block) return document;
  for (const auto& [key, value] : own->members) {
    if (key.text == "base") continue;
    merge(document.root.member(key.text, key.place), value);
    document.changed = true;
  }
  return document;
}

/// Reads `root`; a set of numerics whose fields were changed has a star behind its name.
Numerics read_changed(const Node& root, bool changed, Sources& sources) {
  Numerics n = read_numerics(root, &sources);
  if (changed && root.find("name")->place.source == root.place.source) n.name += '*';
  return n;
}

void append(std::vector<InputValue>& all, std::vector<InputValue> some) {
  all.insert(all.end(), std::make_move_iterator(some.begin()), std::make_move_iterator(some.end()));
}

}  // namespace

void refuse_name(std::string_view what, std::string_view folder, const std::string& name,
                 const fs::path& home) {
  if (name.find('/') != std::string::npos || name.ends_with(".yaml")) {
    const bool exists = fs::exists(name);
    throw MissingInput(fmt::format("{}: {}", name, exists ? "not a file" : "no such file"));
  }
  const std::vector<std::string> names = names_in(home / folder);
  const std::string near = nearest(name, names);
  throw MissingInput(
      fmt::format("no {} is called '{}'{}", what, name,
                  near.empty() ? fmt::format("; shipped {}: {}", folder, fmt::join(names, ", "))
                               : fmt::format("; did you mean '{}'?", near)));
}

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
    if (entry.path().extension() == ".yaml") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

ChipFiles load_chip(const std::string& chip, const std::vector<std::string>& arguments,
                    const fs::path& home, const NumericsChoice& choice) {
  const std::vector<Override> overrides = split_overrides(arguments);
  const Schema schema = chip_schema();
  ChipFiles result;

  const fs::path chip_file = find_chip(chip, home);
  Node root = read_document(chip_file, Syntax::yaml, home);
  override_from(root, "", overrides, schema);
  result.chip = read_chip(root);

  Diagnostics log;
  const bool on_chip = result.chip.dram.is_on_chip();
  if (on_chip) refuse_memory_fields(overrides, result.chip, log);
  const fs::path memory_file =
      on_chip ? fs::path() : find_named(root, "dram.part", home, "memories", log);
  const fs::path node_file = find_named(root, "die.node", home, "nodes", log);
  const fs::path package_file = find_named(root, "package.kind", home, "packages", log);
  const fs::path network_file =
      result.chip.network.empty() ? fs::path() : find_named(root, "network", home, "networks", log);
  log.throw_if_any();
  const auto read = [&](const fs::path& file, std::string_view prefix) {
    Node part = read_document(file, Syntax::yaml, home);
    override_from(part, prefix, overrides, schema);
    return part;
  };
  const Node node = read(node_file, "node.");
  const Node package = read(package_file, "package.");
  result.node = read_process_node(node);
  result.package = read_package_kind(package);
  NumericsDocument numerics = numerics_document(root, choice, home);
  override_from(numerics.root, "numerics.", overrides, schema);
  numerics.changed |= std::any_of(overrides.begin(), overrides.end(), [](const Override& o) {
    return o.path.starts_with("numerics.");
  });
  Sources numerics_sources;
  result.numerics = read_changed(numerics.root, numerics.changed, numerics_sources);
  std::vector<InputValue> memory_inputs;
  if (on_chip) {
    result.memory = sram_part(*result.chip.sram, result.node);
    result.chip.dram = sram_as_dram(result.memory);
  } else {
    const Node memory = read(memory_file, "memory.");
    result.memory = read_memory_part(memory);
    memory_inputs = list_inputs(memory, result.memory.sources);
    if (result.chip.dram.rate == BitsPerSecond(0)) result.chip.dram.rate = result.memory.rate;
  }
  sum_blocks(result.chip.die, result.node, root, log);
  check_together(result, root, log);
  log.throw_if_any();

  result.files = {chip_file, node_file, package_file, numerics.file};
  if (!on_chip) result.files.insert(result.files.begin() + 1, memory_file);
  append(result.inputs, list_inputs(root, result.chip.sources));
  append(result.inputs, std::move(memory_inputs));
  append(result.inputs, list_inputs(node, result.node.sources));
  append(result.inputs, list_inputs(package, result.package.sources));
  append(result.inputs, list_inputs(numerics.root, numerics_sources));
  if (!network_file.empty()) {
    const Node network = read(network_file, "scale_out.");
    result.chip.scale_out = read_scale_out(network);
    result.files.push_back(network_file);
    append(result.inputs, list_inputs(network, result.chip.scale_out->sources));
  }
  return result;
}

NumericsFiles load_numerics(const std::string& name, const std::vector<std::string>& arguments,
                            const fs::path& home) {
  const std::vector<Override> overrides = split_overrides(arguments);
  Node root = read_document(find_numerics(name, home), Syntax::yaml, home);
  for (const Override& o : overrides) apply_override(root, o.path, o.value, o.argument);
  Sources sources;
  Numerics numerics = read_changed(root, !overrides.empty(), sources);
  return {std::move(numerics), list_inputs(root, sources)};
}

NetworkFiles load_network(const std::string& name, const std::vector<std::string>& arguments,
                          const fs::path& home) {
  std::error_code error;
  fs::path file = name;
  if (!fs::is_regular_file(file, error)) {
    const std::vector<std::string> names = names_in(home / "networks");
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      refuse_name("network", "networks", name, home);
    }
    file = home / "networks" / (name + ".yaml");
  }
  Node root = read_document(file, Syntax::yaml, home);
  for (const Override& o : split_overrides(arguments)) {
    apply_override(root, o.path, o.value, o.argument);
  }
  NetworkFiles result{read_scale_out(root), {}};
  result.inputs = list_inputs(root, result.network.sources);
  return result;
}

}  // namespace presil
