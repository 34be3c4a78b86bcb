// Every value of an input file with its place and its source, as reports show them and as the
// test that asks for a source beside every number reads them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/document.h"
#include "base/fields.h"

namespace presil {

struct InputValue {
  std::string file;  // as the user named it; "--set key=value" for an override
  int line = 0;
  std::string field;                 // dotted path
  std::string text;                  // as written
  std::optional<Provenance> source;  // its own, or the nearest group's that has one
};

/// The scalars of `root` in file order, without the header and the `sources` block. An overridden
/// value has no source: the user is its source.
std::vector<InputValue> list_inputs(const Node& root, const Sources& sources);

/// The member at a dotted path, or nullptr.
const Node* find_path(const Node& root, std::string_view path);

/// Where the member at a dotted path stands; `root`'s own place when there is none.
const Place& place_of(const Node& root, std::string_view path);

}  // namespace presil
