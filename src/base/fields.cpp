#include "base/fields.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace presil {
namespace {

std::string shown(const Node& node) {
  switch (node.kind) {
    case Node::Kind::null:
      return "nothing";
    case Node::Kind::scalar:
      return fmt::format("\"{}\"", node.text);
    case Node::Kind::sequence:
      return "a list";
    case Node::Kind::mapping:
      return "a group of fields";
  }
  return "";
}

}  // namespace

Fields::Fields(const Node& node, std::string path, Diagnostics& log)
    : node_(&node), log_(&log), path_(std::move(path)) {
  if (node.kind != Node::Kind::mapping) {
    log.add(node.place, fmt::format("{}: expected a group of fields, found {}",
                                    path_.empty() ? "the file" : path_, shown(node)));
  }
}

Fields::Fields(Schema& schema) : schema_(&schema) {}

std::string Fields::dotted(std::string_view name) const {
  return path_.empty() ? std::string(name) : fmt::format("{}.{}", path_, name);
}

const Node* Fields::take(std::string_view name, std::string_view doc, std::string_view type,
                         bool required) {
  asked_.emplace_back(name);
  if (schema_ != nullptr) {
    Schema field;
    field.name = std::string(name);
    field.type = std::string(type);
    field.doc = std::string(doc);
    field.required = required;
    schema_->fields.push_back(std::move(field));
    return nullptr;
  }
  const Node* node = node_->find(name);
  if (node != nullptr && node->kind == Node::Kind::null) {
    if (required) log_->add(node->place, fmt::format("{}: has no value", dotted(name)));
    return nullptr;
  }
  if (node == nullptr && required && node_->kind == Node::Kind::mapping) {
    log_->add(node_->place, fmt::format("missing '{}' ({})", dotted(name), doc));
  }
  return node;
}

bool Fields::has(std::string_view name) const {
  if (node_ == nullptr) return false;
  const Node* node = node_->find(name);
  return node != nullptr && node->kind != Node::Kind::null;
}

const Node* Fields::raw(std::string_view name, std::string_view doc) {
  return take(name, doc, "any", false);
}

void Fields::require(bool holds, std::string_view name, const std::string& message) {
  if (holds || schema_ != nullptr) return;
  const Node* node = node_->find(name);
  log_->add(node != nullptr ? node->place : node_->place,
            fmt::format("{}: {}", dotted(name), message));
}

std::string Fields::text(std::string_view name, std::string_view doc) {
  const Node* node = take(name, doc, "text", true);
  if (node == nullptr) return {};
  if (node->kind != Node::Kind::scalar) {
    log_->add(node->place, fmt::format("{}: expected text, found {}", dotted(name), shown(*node)));
    return {};
  }
  return node->text;
}

std::string Fields::text_or(std::string_view name, std::string_view doc, std::string fallback) {
  const Node* node = take(name, doc, "text", false);
  if (node == nullptr) return fallback;
  if (node->kind != Node::Kind::scalar) {
    log_->add(node->place, fmt::format("{}: expected text, found {}", dotted(name), shown(*node)));
    return fallback;
  }
  return node->text;
}

std::vector<std::string> Fields::texts_or_none(std::string_view name, std::string_view doc) {
  std::vector<std::string> result;
  const Node* node = take(name, doc, "texts", false);
  if (node == nullptr) return result;
  if (node->kind == Node::Kind::scalar) return {node->text};
  if (node->kind != Node::Kind::sequence) {
    log_->add(node->place,
              fmt::format("{}: expected a list, found {}", dotted(name), shown(*node)));
    return result;
  }
  for (const Node& item : node->items) {
    if (item.kind == Node::Kind::scalar) {
      result.push_back(item.text);
    } else {
      log_->add(item.place, fmt::format("{}: expected text, found {}", dotted(name), shown(item)));
    }
  }
  return result;
}

std::optional<double> Fields::scalar_number(const Node& node, const std::string& name, Range range,
                                            bool whole) {
  double value = 0;
  const char* end = node.text.data() + node.text.size();
  const auto [stop, error] = std::from_chars(node.text.data(), end, value);
  const std::string_view kind = whole ? "a whole number" : "a number without a unit";
  if (node.kind != Node::Kind::scalar || error != std::errc() || stop != end ||
      !std::isfinite(value) || (whole && value != std::floor(value))) {
    log_->add(node.place, fmt::format("{}: expected {}, found {}", name, kind, shown(node)));
    return std::nullopt;
  }
  if (value < range.min || value > range.max) {
    const auto bound = [&](double b) { return fmt::format("{:.{}g}", b, whole ? 17 : 6); };
    log_->add(node.place, fmt::format("{}: expected {} from {} to {}, found {}", name, kind,
                                      bound(range.min), bound(range.max), node.text));
    return std::nullopt;
  }
  return value;
}

std::optional<double> Fields::read_number(std::string_view name, std::string_view doc, Range range,
                                          bool required, bool whole) {
  const Node* node = take(name, doc, whole ? "integer" : "number", required);
  if (node == nullptr) return std::nullopt;
  return scalar_number(*node, dotted(name), range, whole);
}

std::int64_t Fields::integer(std::string_view name, std::string_view doc, Range range) {
  const double fallback = std::max(1.0, range.min);
  return static_cast<std::int64_t>(read_number(name, doc, range, true, true).value_or(fallback));
}

std::int64_t Fields::integer_or(std::string_view name, std::string_view doc, std::int64_t fallback,
                                Range range) {
  const auto value = read_number(name, doc, range, false, true);
  return value ? static_cast<std::int64_t>(*value) : fallback;
}

double Fields::number(std::string_view name, std::string_view doc, Range range) {
  return read_number(name, doc, range, true, false).value_or(std::max(1.0, range.min));
}

double Fields::number_or(std::string_view name, std::string_view doc, double fallback,
                         Range range) {
  return read_number(name, doc, range, false, false).value_or(fallback);
}

std::vector<double> Fields::numbers_or_none(std::string_view name, std::string_view doc,
                                            Range range) {
  std::vector<double> result;
  const Node* node = take(name, doc, "list of numbers", false);
  if (node == nullptr) return result;
  const auto read = [&](const Node& item) {
    const auto value = scalar_number(item, dotted(name), range, false);
    if (value) result.push_back(*value);
  };
  if (node->kind == Node::Kind::sequence) {
    for (const Node& item : node->items) read(item);
  } else {
    read(*node);
  }
  return result;
}

bool Fields::flag_or(std::string_view name, std::string_view doc, bool fallback) {
  const Node* node = take(name, doc, "flag", false);
  if (node == nullptr) return fallback;
  if (node->kind == Node::Kind::scalar && node->text == "true") return true;
  if (node->kind == Node::Kind::scalar && node->text == "false") return false;
  log_->add(node->place,
            fmt::format("{}: expected true or false, found {}", dotted(name), shown(*node)));
  return fallback;
}

std::optional<double> Fields::scalar_quantity(const Node& node, const std::string& name,
                                              Dimension dimension, Sign sign) {
  if (node.kind != Node::Kind::scalar) {
    log_->add(node.place, fmt::format("{}: expected a value with its unit such as \"{}\", found {}",
                                      name, example_of(dimension), shown(node)));
    return std::nullopt;
  }
  const auto value = parse_quantity(node.text, dimension);
  if (!value) {
    log_->add(node.place, fmt::format("{}: {}", name, value.error()));
    return std::nullopt;
  }
  if ((sign == Sign::positive && *value <= 0) || (sign == Sign::non_negative && *value < 0)) {
    log_->add(node.place, fmt::format("{}: expected a value {} zero, found \"{}\"", name,
                                      sign == Sign::positive ? "above" : "not below", node.text));
    return std::nullopt;
  }
  const Bounds bounds = bounds_of(dimension);
  if (const double size = std::abs(*value);
      size != 0 && (size < bounds.least || size > bounds.most)) {
    log_->add(node.place, fmt::format("{}: expected {} to {}, found \"{}\"", name,
                                      format_quantity(bounds.least, dimension),
                                      format_quantity(bounds.most, dimension), node.text));
    return std::nullopt;
  }
  return *value;
}

std::optional<double> Fields::read_quantity(std::string_view name, std::string_view doc,
                                            Dimension dimension, Sign sign, bool required) {
  const Node* node = take(name, doc, "quantity", required);
  if (schema_ != nullptr) schema_->fields.back().unit_example = std::string(example_of(dimension));
  if (node == nullptr) return std::nullopt;
  return scalar_quantity(*node, dotted(name), dimension, sign);
}

std::optional<Band> Fields::read_band(std::string_view name, std::string_view doc,
                                      Dimension dimension, bool required) {
  const Node* node = take(name, doc, "band", required);
  if (schema_ != nullptr) schema_->fields.back().unit_example = std::string(example_of(dimension));
  if (node == nullptr) return std::nullopt;
  if (node->kind == Node::Kind::scalar) {
    const auto value = scalar_quantity(*node, dotted(name), dimension, Sign::non_negative);
    return value ? std::optional<Band>(Band{*value, *value, *value}) : std::nullopt;
  }
  Fields inner(*node, dotted(name), *log_);
  return read_three(inner, [&](std::string_view key) {
    return inner.read_quantity(key, doc, dimension, Sign::non_negative, true);
  });
}

Band Fields::read_three(Fields& inner,
                        const std::function<std::optional<double>(std::string_view)>& part) {
  Band band;
  band.low = part("low").value_or(0);
  band.typical = part("typical").value_or(0);
  band.high = part("high").value_or(0);
  inner.require(band.low <= band.typical && band.typical <= band.high, "typical",
                "expected low <= typical <= high");
  inner.finish();
  return band;
}

Band Fields::number_band(std::string_view name, std::string_view doc, Range range) {
  const double fallback = std::max(1.0, range.min);
  const Node* node = take(name, doc, "band", true);
  if (schema_ != nullptr) schema_->fields.back().unit_example = "0.5";
  if (node == nullptr) return {fallback, fallback, fallback};
  if (node->kind != Node::Kind::mapping) {
    const double value = scalar_number(*node, dotted(name), range, false).value_or(fallback);
    return {value, value, value};
  }
  Fields inner(*node, dotted(name), *log_);
  return read_three(
      inner, [&](std::string_view key) { return inner.read_number(key, doc, range, true, false); });
}

Band Fields::band(std::string_view name, std::string_view doc, Dimension dimension) {
  return read_band(name, doc, dimension, true).value_or(Band{1, 1, 1});
}

std::optional<Band> Fields::maybe_band(std::string_view name, std::string_view doc,
                                       Dimension dimension) {
  return read_band(name, doc, dimension, false);
}

std::optional<std::size_t> Fields::read_choice(std::string_view name, std::string_view doc,
                                               const std::vector<std::string>& names,
                                               bool required) {
  const Node* node = take(name, doc, "choice", required);
  if (schema_ != nullptr) schema_->fields.back().choices = names;
  if (node == nullptr) return std::nullopt;
  const auto found = std::find(names.begin(), names.end(), node->text);
  if (node->kind == Node::Kind::scalar && found != names.end()) {
    return static_cast<std::size_t>(found - names.begin());
  }
  const std::string near = nearest(node->text, names);
  log_->add(
      node->place,
      fmt::format("{}: expected one of {}, found {}{}", dotted(name), fmt::join(names, ", "),
                  shown(*node), near.empty() ? "" : fmt::format("; did you mean '{}'?", near)));
  return std::nullopt;
}

std::vector<std::pair<std::size_t, double>> Fields::read_numbers(
    std::string_view name, std::string_view doc, const std::vector<std::string>& names) {
  std::vector<std::pair<std::size_t, double>> result;
  const Node* node = take(name, doc, "numbers", true);
  if (schema_ != nullptr) schema_->fields.back().choices = names;
  if (node == nullptr) return result;
  Fields inner(*node, dotted(name), *log_);
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto value = inner.read_number(names[i], doc, {1e-2, 1e9}, false, false);
    if (value) result.emplace_back(i, *value);
  }
  inner.finish();
  return result;
}

void Fields::visit_map(std::string_view name, std::string_view doc, bool required,
                       const std::function<void(Fields&)>& read) {
  const Node* node = take(name, doc, "map", required);
  if (schema_ != nullptr) {
    Fields inner(schema_->fields.back());
    read(inner);
    return;
  }
  if (node == nullptr) return;
  Fields inner(*node, dotted(name), *log_);
  if (node->kind != Node::Kind::mapping) return;
  read(inner);
  inner.finish();
}

void Fields::visit_list(std::string_view name, std::string_view doc,
                        const std::function<void(Fields&)>& read) {
  const Node* node = take(name, doc, "maps", false);
  if (schema_ != nullptr) {
    Fields inner(schema_->fields.back());
    read(inner);
    return;
  }
  if (node == nullptr) return;
  if (node->kind != Node::Kind::sequence) {
    log_->add(node->place,
              fmt::format("{}: expected a list, found {}", dotted(name), shown(*node)));
    return;
  }
  for (std::size_t i = 0; i < node->items.size(); ++i) {
    Fields inner(node->items[i], fmt::format("{}[{}]", dotted(name), i), *log_);
    if (node->items[i].kind != Node::Kind::mapping) continue;
    read(inner);
    inner.finish();
  }
}

void Fields::visit_named(std::string_view name, std::string_view doc,
                         const std::function<void(const std::string&, Fields&)>& read) {
  const Node* node = take(name, doc, "maps by name", true);
  if (schema_ != nullptr) {
    Fields inner(schema_->fields.back());
    read("NAME", inner);
    return;
  }
  if (node == nullptr) return;
  if (node->kind != Node::Kind::mapping) {
    log_->add(node->place,
              fmt::format("{}: expected a group of fields, found {}", dotted(name), shown(*node)));
    return;
  }
  for (const auto& [key, value] : node->members) {
    Fields inner(value, fmt::format("{}.{}", dotted(name), key.text), *log_);
    if (value.kind != Node::Kind::mapping) continue;
    read(key.text, inner);
    inner.finish();
  }
}

void Fields::finish() {
  if (node_ == nullptr || node_->kind != Node::Kind::mapping) return;
  for (const auto& [key, value] : node_->members) {
    if (std::find(asked_.begin(), asked_.end(), key.text) != asked_.end()) continue;
    const std::string near = nearest(key.text, asked_);
    const std::string hint = near.empty()
                                 ? fmt::format("; expected one of {}", fmt::join(asked_, ", "))
                                 : fmt::format("; did you mean '{}'?", near);
    log_->add(key.place, fmt::format("unknown key '{}'{}{}", key.text,
                                     path_.empty() ? "" : fmt::format(" in {}", path_), hint));
  }
}

std::string_view to_string(Confidence confidence) {
  switch (confidence) {
    case Confidence::found:
      return "found";
    case Confidence::recalled:
      return "recalled";
    case Confidence::derived:
      return "derived";
    case Confidence::estimate:
      return "estimate";
  }
  return "";
}

namespace {
constexpr Choice<Confidence> kConfidences[] = {{"found", Confidence::found},
                                               {"recalled", Confidence::recalled},
                                               {"derived", Confidence::derived},
                                               {"estimate", Confidence::estimate}};
bool names_a_field(const Node& root, std::string_view path) {
  const Node* node = &root;
  while (true) {
    const std::size_t dot = path.find('.');
    node = node->find(path.substr(0, dot));
    if (node == nullptr) return false;
    if (dot == std::string_view::npos) return true;
    path.remove_prefix(dot + 1);
  }
}
}  // namespace

const Provenance* source_of(const Sources& sources, std::string_view field) {
  while (true) {
    const auto found = sources.find(std::string(field));
    if (found != sources.end()) return &found->second;
    const std::size_t dot = field.rfind('.');
    if (dot == std::string_view::npos) return nullptr;
    field = field.substr(0, dot);
  }
}

Sources read_sources(Fields& fields, const Node& root, Diagnostics& log) {
  Sources sources;
  const Node* node = fields.raw("sources", "where each number is from: {value: found, ref: ...}");
  if (node == nullptr) return sources;
  Fields block(*node, "sources", log);
  for (const auto& [key, value] : node->members) {
    if (!names_a_field(root, key.text)) {
      log.add(key.place, fmt::format("sources: '{}' names no field of this file", key.text));
    }
    Fields entry(value, "sources." + key.text, log);
    if (value.kind != Node::Kind::mapping) continue;
    Provenance p;
    p.confidence = entry.choice<Confidence>("value", "how sure the value is", kConfidences);
    p.reference = entry.text("ref", "document, formula or reasoning");
    entry.finish();
    sources.emplace(key.text, std::move(p));
  }
  return sources;
}

void read_header(Fields& fields, std::string_view kind) {
  const std::string expected = fmt::format("{}/1", kind);
  const std::string header = fields.text("presil", "the kind of file and its version");
  fields.require(header == expected, "presil",
                 fmt::format("expected \"{}\", found \"{}\"", expected, header));
}

}  // namespace presil
