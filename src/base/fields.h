// Reading a mapping field by field: one function both validates a file and describes it.
//
// A reader asks for each field once, with its unit, range and a line of documentation. Given a
// node, Fields checks and converts, and collects every complaint (unknown key, missing unit, value
// out of range) with its place. Given a Schema instead, the same calls record what was asked for,
// which is how `presil schema KIND` and the unknown-key suggestions stay true.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/document.h"
#include "base/quantity_text.h"
#include "base/units.h"

namespace presil {

/// What one field may hold, as recorded by a describing pass.
struct Schema {
  std::string name;
  std::string
      type;  // "text", "integer", "number", "quantity", "choice", "flag", "band", "map", ...
  std::string doc;
  bool required = false;
  std::string unit_example;
  std::vector<std::string> choices;
  std::vector<Schema> fields;
};

enum class Sign { positive, non_negative, any };

struct Range {
  double min = -std::numeric_limits<double>::infinity();
  double max = std::numeric_limits<double>::infinity();
};

template <class E>
struct Choice {
  std::string_view name;
  E value;
};

class Fields {
 public:
  /// Reads `node`; `path` is the dotted name of the mapping, "" for the root.
  Fields(const Node& node, std::string path, Diagnostics& log);
  /// Describes: records what is asked for under `schema.fields`.
  explicit Fields(Schema& schema);

  std::string text(std::string_view name, std::string_view doc);
  std::string text_or(std::string_view name, std::string_view doc, std::string fallback);
  std::vector<std::string> texts_or_none(std::string_view name, std::string_view doc);

  std::int64_t integer(std::string_view name, std::string_view doc, Range range = {0, 1e15});
  std::int64_t integer_or(std::string_view name, std::string_view doc, std::int64_t fallback,
                          Range range = {0, 1e15});
  double number(std::string_view name, std::string_view doc, Range range = {0, 1e300});
  double number_or(std::string_view name, std::string_view doc, double fallback,
                   Range range = {0, 1e300});
  /// A list of numbers, or one alone; empty when absent.
  std::vector<double> numbers_or_none(std::string_view name, std::string_view doc,
                                      Range range = {0, 1e300});
  bool flag_or(std::string_view name, std::string_view doc, bool fallback);

  template <class Q>
  Q quantity(std::string_view name, std::string_view doc, Sign sign = Sign::positive) {
    return as<Q>(read_quantity(name, doc, Q::dimension, sign, true));
  }
  template <class Q>
  Q quantity_or(std::string_view name, std::string_view doc, Q fallback,
                Sign sign = Sign::non_negative) {
    const auto value = read_quantity(name, doc, Q::dimension, sign, false);
    return value ? as<Q>(value) : fallback;
  }
  template <class Q>
  std::optional<Q> maybe(std::string_view name, std::string_view doc, Sign sign = Sign::positive) {
    const auto value = read_quantity(name, doc, Q::dimension, sign, false);
    return value ? std::optional<Q>(as<Q>(value)) : std::nullopt;
  }

  /// Either one value with a unit, or {low, typical, high} of such; in the dimension's base unit.
  Band band(std::string_view name, std::string_view doc, Dimension dimension);
  std::optional<Band> maybe_band(std::string_view name, std::string_view doc, Dimension dimension);
  /// The same of plain numbers: one, or {low, typical, high}.
  Band number_band(std::string_view name, std::string_view doc, Range range = {0, 1e300});

  template <class E>
  E choice(std::string_view name, std::string_view doc, std::span<const Choice<E>> choices) {
    const auto index = read_choice(name, doc, names_of<E>(choices), true);
    return index ? choices[*index].value : choices[0].value;
  }
  template <class E>
  E choice_or(std::string_view name, std::string_view doc, std::span<const Choice<E>> choices,
              E fallback) {
    const auto index = read_choice(name, doc, names_of<E>(choices), false);
    return index ? choices[*index].value : fallback;
  }

  /// A mapping with keys out of `choices` and plain numbers as values, such as {bf16: 2048}.
  template <class E>
  std::map<E, double> numbers_by(std::string_view name, std::string_view doc,
                                 std::span<const Choice<E>> choices) {
    std::map<E, double> result;
    for (const auto& [index, value] : read_numbers(name, doc, names_of<E>(choices))) {
      result[choices[index].value] = value;
    }
    return result;
  }

  /// A required mapping, read by `read(Fields&)`; a default-constructed result when it is missing.
  template <class F>
  auto map(std::string_view name, std::string_view doc, F read) {
    using T = decltype(read(std::declval<Fields&>()));
    T result{};
    visit_map(name, doc, true, [&](Fields& inner) { result = read(inner); });
    return result;
  }
  template <class F>
  auto maybe_map(std::string_view name, std::string_view doc, F read) {
    using T = decltype(read(std::declval<Fields&>()));
    std::optional<T> result;
    visit_map(name, doc, false, [&](Fields& inner) { result = read(inner); });
    return result;
  }
  /// A list of mappings; empty when absent.
  template <class F>
  auto maps_or_none(std::string_view name, std::string_view doc, F read) {
    using T = decltype(read(std::declval<Fields&>()));
    std::vector<T> result;
    visit_list(name, doc, [&](Fields& inner) { result.push_back(read(inner)); });
    return result;
  }
  /// A mapping with free keys and mappings as values, in file order.
  template <class F>
  auto maps_by_name(std::string_view name, std::string_view doc, F read) {
    using T = decltype(read(std::declval<Fields&>()));
    std::vector<std::pair<std::string, T>> result;
    visit_named(name, doc, [&](const std::string& key, Fields& inner) {
      result.emplace_back(key, read(inner));
    });
    return result;
  }

  /// Takes note that `name` exists and is somebody else's to read; returns its node or nullptr.
  const Node* raw(std::string_view name, std::string_view doc);

  /// True when the file gives `name`.
  bool has(std::string_view name) const;
  /// A rule over several fields, reported at `name`. Does nothing while describing.
  void require(bool holds, std::string_view name, const std::string& message);
  /// Complains about every key that nobody asked for. Called for inner maps by map() and the like;
  /// whoever makes a root Fields calls it.
  void finish();

  bool describing() const { return schema_ != nullptr; }
  const std::string& path() const { return path_; }

 private:
  template <class Q>
  static Q as(const std::optional<double>& value) {
    return Q(static_cast<typename Q::rep>(value.value_or(1)));
  }
  template <class E>
  static std::vector<std::string> names_of(std::span<const Choice<E>> choices) {
    std::vector<std::string> names;
    for (const Choice<E>& c : choices) names.emplace_back(c.name);
    return names;
  }

  const Node* take(std::string_view name, std::string_view doc, std::string_view type,
                   bool required);
  std::optional<double> scalar_quantity(const Node& node, const std::string& name,
                                        Dimension dimension, Sign sign);
  std::optional<double> read_quantity(std::string_view name, std::string_view doc,
                                      Dimension dimension, Sign sign, bool required);
  std::optional<double> read_number(std::string_view name, std::string_view doc, Range range,
                                    bool required, bool whole);
  std::optional<double> scalar_number(const Node& node, const std::string& name, Range range,
                                      bool whole);
  std::optional<Band> read_band(std::string_view name, std::string_view doc, Dimension dimension,
                                bool required);
  Band read_three(Fields& inner,
                  const std::function<std::optional<double>(std::string_view)>& part);
  std::optional<std::size_t> read_choice(std::string_view name, std::string_view doc,
                                         const std::vector<std::string>& names, bool required);
  std::vector<std::pair<std::size_t, double>> read_numbers(std::string_view name,
                                                           std::string_view doc,
                                                           const std::vector<std::string>& names);
  void visit_map(std::string_view name, std::string_view doc, bool required,
                 const std::function<void(Fields&)>& read);
  void visit_list(std::string_view name, std::string_view doc,
                  const std::function<void(Fields&)>& read);
  void visit_named(std::string_view name, std::string_view doc,
                   const std::function<void(const std::string&, Fields&)>& read);
  std::string dotted(std::string_view name) const;

  const Node* node_ = nullptr;
  Diagnostics* log_ = nullptr;
  Schema* schema_ = nullptr;
  std::string path_;
  std::vector<std::string> asked_;
};

/// How sure we are of a number: found in a public document, recalled, derived from others, or
/// estimated.
enum class Confidence { found, recalled, derived, estimate };
std::string_view to_string(Confidence confidence);

struct Provenance {
  Confidence confidence = Confidence::estimate;
  std::string reference;
};

/// Dotted field path -> where its value is from: the `sources:` block of a file.
using Sources = std::map<std::string, Provenance>;

/// The source of `field`: its own, or that of the nearest group around it that has one; else
/// nullptr.
const Provenance* source_of(const Sources& sources, std::string_view field);

/// Reads `sources:`. Each key must name a field (or a group of fields) present in `root`.
Sources read_sources(Fields& fields, const Node& root, Diagnostics& log);

/// Reads the `presil: KIND/1` line that every file of ours starts with.
void read_header(Fields& fields, std::string_view kind);

/// Reads a whole file of one kind: header, fields, sources, unknown keys. `read(Fields&)` gives the
/// value; all complaints are thrown together as InputError.
template <class F>
auto read_file(const Node& root, std::string_view kind, F read, Sources* sources = nullptr) {
  Diagnostics log;
  Fields fields(root, "", log);
  read_header(fields, kind);
  auto result = read(fields);
  Sources found = read_sources(fields, root, log);
  if (sources != nullptr) *sources = std::move(found);
  fields.finish();
  log.throw_if_any();
  return result;
}

}  // namespace presil
