// software/constants.yaml: by law, by constant, by scope, a number.
#include <algorithm>
#include <charconv>
#include <optional>

#include <fmt/format.h>

#include "base/document.h"
#include "base/fields.h"
#include "kernels/constants.h"

namespace presil::kernels {
namespace {

constexpr std::string_view kHead =
    "# The constants of the kernel laws, as `presil verify silicon --fit` found them on measured\n"
    "# rows. A constant has a value for each situation that it may depend on: engine, number "
    "type,\n"
    "# generation of matrix engines, class of kernel; * is any. Another situation takes the "
    "nearest\n"
    "# one's value.\n";

std::optional<double> parse_number(const std::string& text) {
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  return error == std::errc() && stop == end ? std::optional(value) : std::nullopt;
}

const ConstantInfo* constant_called(const LawInfo& law, std::string_view name) {
  for (const ConstantInfo& c : law.constants) {
    if (c.name == name) return &c;
  }
  return nullptr;
}

std::string suggestion(const std::string& name, const std::vector<std::string>& known) {
  const std::string near = nearest(name, known);
  return near.empty() ? "" : fmt::format("; did you mean '{}'?", near);
}

void read_values(const LawInfo& law, const ConstantInfo& info, const Node& node,
                 ConstantTable& table, Diagnostics& log) {
  if (node.kind != Node::Kind::mapping) {
    return log.add(node.place, fmt::format("{}: expected a value for each scope", info.name));
  }
  for (const auto& [scope, value] : node.members) {
    if (std::count(scope.text.begin(), scope.text.end(), ' ') != 3) {
      log.add(scope.place,
              fmt::format("'{}': expected a scope of four words, as \"vllm fp8 * *\"", scope.text));
      continue;
    }
    const std::optional<double> number = parse_number(value.text);
    if (value.kind != Node::Kind::scalar || !number) {
      log.add(value.place, fmt::format("{}: expected a number", info.name));
    } else if (!(*number >= info.low && *number <= info.high)) {
      log.add(value.place, fmt::format("{}: {} is not from {} to {}", info.name, value.text,
                                       info.low, info.high));
    } else {
      table.set(law.name, info.name, scope.text, *number);
    }
  }
}

void read_law(const LawInfo& law, const Node& node, ConstantTable& table, Diagnostics& log) {
  if (node.kind != Node::Kind::mapping) {
    return log.add(node.place, fmt::format("{}: expected its constants by name", law.name));
  }
  std::vector<std::string> names;
  for (const ConstantInfo& c : law.constants) names.emplace_back(c.name);
  for (const auto& [name, values] : node.members) {
    if (const ConstantInfo* info = constant_called(law, name.text)) {
      read_values(law, *info, values, table, log);
    } else {
      log.add(name.place, fmt::format("{} has no constant '{}'{}", law.name, name.text,
                                      suggestion(name.text, names)));
    }
  }
}

}  // namespace

ConstantTable read_constants(const std::filesystem::path& file, std::span<const LawInfo> laws) {
  const Node root = read_document(file, Syntax::yaml);
  Diagnostics log;
  Fields fields(root, "", log);
  read_header(fields, "constants");
  ConstantTable table;
  table.fitted_on = fields.texts_or_none("fitted_on", "chips and rows");
  for (const LawInfo& law : laws) {
    const Node* node = fields.raw(law.name, "constants of the law, by name and scope");
    if (node != nullptr) read_law(law, *node, table, log);
  }
  fields.finish();
  log.throw_if_any();
  return table;
}

std::string print_constants(const ConstantTable& table, std::span<const LawInfo> laws) {
  std::string text(kHead);
  text += "presil: constants/1\n";
  if (!table.fitted_on.empty()) text += "fitted_on:\n";
  for (const std::string& line : table.fitted_on) text += fmt::format("  - \"{}\"\n", line);
  for (const LawInfo& law : laws) {
    const auto of_law = table.all().find(std::string(law.name));
    if (of_law == table.all().end()) continue;
    text += fmt::format("\n{}:\n", law.name);
    for (const ConstantInfo& info : law.constants) {
      const auto by_scope = of_law->second.find(std::string(info.name));
      if (by_scope == of_law->second.end()) continue;
      text += fmt::format("  # {}; from {} to {}\n  {}:\n", info.meaning, info.low, info.high,
                          info.name);
      for (const auto& [scope, value] : by_scope->second) {
        text += fmt::format("    \"{}\": {:.6g}\n", scope, value);
      }
    }
  }
  return text;
}

}  // namespace presil::kernels
