// Memory parts, and memory systems without a chip: load_part and load_dram of library.h.
#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "chip/dram_file.h"
#include "chip/library.h"
#include "chip/overrides.h"

namespace presil {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kSystem = "dram.";
constexpr std::string_view kPart = "memory.";

/// A part by its path, from `folder`, or its name.
std::optional<fs::path> find_part(const std::string& part, const fs::path& folder,
                                  const fs::path& home) {
  std::error_code error;
  if (fs::is_regular_file(folder / part, error)) return folder / part;
  const std::vector<std::string> names = names_in(home / "memories");
  if (std::find(names.begin(), names.end(), part) == names.end()) return std::nullopt;
  return home / "memories" / (part + ".yaml");
}

fs::path require_part(const std::string& part, const fs::path& home) {
  const std::optional<fs::path> file = find_part(part, {}, home);
  if (!file) refuse_name("memory part", "memories", part, home);
  return *file;
}

bool is_system(const Node& root) {
  const Node* header = root.kind == Node::Kind::mapping ? root.find("presil") : nullptr;
  return header != nullptr && header->text.starts_with("dram/");
}

Node text_node(std::string text, const Place& place) {
  Node node;
  node.kind = Node::Kind::scalar;
  node.text = std::move(text);
  node.place = place;
  return node;
}

void put(Node& root, const std::string& key, const std::string& value, const Place& place) {
  if (Node* found = root.find(key)) {
    *found = text_node(value, place);
  } else {
    root.members.push_back({text_node(key, place), text_node(value, place)});
  }
}

void refuse_other_owners(const std::vector<Override>& overrides) {
  Diagnostics log;
  for (const Override& o : overrides) {
    if (o.path.starts_with(kSystem) || o.path.starts_with(kPart)) continue;
    const bool of_system = names_a_field(dram_file_schema(), o.path);
    const bool of_part = !of_system && names_a_field(memory_part_schema(), o.path);
    log.add({o.argument, 1, 1, static_cast<int>(o.path.size())},
            of_system || of_part
                ? fmt::format("did you mean '{}{}'?", of_system ? kSystem : kPart, o.path)
                : fmt::format("expected dram.KEY, of the memory system, or memory.KEY, of the "
                              "part; found '{}'",
                              o.path));
  }
  log.throw_if_any();
}

/// A memory system's file before validation, and where it stood.
struct System {
  Node root;
  fs::path file;  // empty when the user named only a part
};

/// The user's part and config as one file. `part` may be a memory system itself.
System open_system(const std::string& part, const std::string& config, const fs::path& home) {
  System system;
  if (!config.empty()) system = {read_document(config, Syntax::yaml, home), config};
  if (part.empty()) {
    if (config.empty()) throw InputError("expected a memory part or a memory system");
    return system;
  }
  const fs::path file = require_part(part, home);
  Node root = read_document(file, Syntax::yaml, home);
  if (is_system(root)) {
    if (!config.empty()) {
      Diagnostics log;
      log.add(root.place,
              fmt::format("a memory system already, and {} is another; expected a part", config));
      log.throw_if_any();
    }
    return {std::move(root), file};
  }
  const Place said{std::make_shared<const Source>(Source{"the command line", part})};
  if (config.empty()) {
    system.root.kind = Node::Kind::mapping;
    system.root.place = said;
    put(system.root, "presil", "dram/1", said);
    put(system.root, "name", part, said);
  }
  if (system.root.kind == Node::Kind::mapping) put(system.root, "part", part, said);
  return system;
}

/// The file of the part that a validated system names: from the system's folder if it stands in
/// its file, from the working directory if the user gave it.
fs::path part_file(const System& system, const std::string& part, const fs::path& home) {
  const Node& field = *system.root.find("part");
  const bool in_file = !system.file.empty() && field.place.source == system.root.place.source;
  const auto file = find_part(part, in_file ? system.file.parent_path() : fs::path{}, home);
  if (file) return *file;
  const std::string near = nearest(part, names_in(home / "memories"));
  Diagnostics log;
  log.add(field.place, fmt::format("part: no file and no part in memories/ is called '{}'{}", part,
                                   near.empty() ? "" : fmt::format("; did you mean '{}'?", near)));
  log.throw_if_any();
  return {};
}

}  // namespace

MemoryPart load_part(const std::string& part, const std::vector<std::string>& arguments,
                     const fs::path& home) {
  Node root = read_document(require_part(part, home), Syntax::yaml, home);
  for (const Override& o : split_overrides(arguments)) override_part(root, o.path, o);
  return read_memory_part(root);
}

DramFiles load_dram(const std::string& part, const std::string& config,
                    const std::vector<std::string>& arguments, const fs::path& home) {
  const std::vector<Override> overrides = split_overrides(arguments);
  refuse_other_owners(overrides);
  System system = open_system(part, config, home);
  for (const Override& o : overrides) {
    if (!o.path.starts_with(kSystem)) continue;
    apply_override(system.root, std::string_view(o.path).substr(kSystem.size()), o.value,
                   o.argument);
  }
  DramFile file = read_dram_file(system.root);

  const fs::path memory_file = part_file(system, file.dram.part, home);
  Node memory = read_document(memory_file, Syntax::yaml, home);
  Diagnostics log;
  if (const Node* set = system.root.find("set")) {
    set_part_fields(memory, *set, memory_part_schema(), log);
    log.throw_if_any();
  }
  for (const Override& o : overrides) {
    if (!o.path.starts_with(kPart)) continue;
    override_part(memory, std::string_view(o.path).substr(kPart.size()), o);
  }
  DramFiles result;
  result.part = read_memory_part(memory);
  result.dram = std::move(file.dram);
  if (result.dram.rate == BitsPerSecond(0)) result.dram.rate = result.part.rate;
  check_driving(result.dram, result.part, system.root, "", log);
  log.throw_if_any();

  if (!system.file.empty()) result.files.push_back(system.file);
  result.files.push_back(memory_file);
  result.inputs = list_inputs(system.root, file.sources);
  const std::vector<InputValue> of_part = list_inputs(memory, result.part.sources);
  result.inputs.insert(result.inputs.end(), of_part.begin(), of_part.end());
  return result;
}

}  // namespace presil
