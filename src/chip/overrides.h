// Fields of a file changed before it is validated: by "key=value" arguments, or by a block of
// another file. A changed field keeps the place it was written at, so complaints point there.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/document.h"
#include "base/fields.h"

namespace presil {

struct Override {
  std::string path;
  std::string value;
  std::shared_ptr<const Source> argument;
};

/// Splits "key=value" arguments; throws InputError for those that are none.
std::vector<Override> split_overrides(const std::vector<std::string>& arguments);

/// Puts `value` over `into`: groups member by member, all else as a whole.
void merge(Node& into, const Node& value);

/// Whether the dotted `path` is a field, or a group of fields, of what `schema` describes.
bool names_a_field(const Schema& schema, std::string_view path);

/// Every field and group of `schema` as a dotted path.
std::vector<std::string> field_paths(const Schema& schema);

/// Puts `override.value` at `path` of a memory part's `root`. As part files may write a timing
/// without its {time: ...}, `path` may name either half of any timing.
void override_part(Node& root, std::string_view path, const Override& override);

/// Puts the values of a `set:` block, {timing.tRP: 14 ns}, into a memory part's `root`. Groups are
/// merged. Complains to `log` of keys that name no field in `schema`, with the nearest.
void set_part_fields(Node& root, const Node& set, const Schema& schema, Diagnostics& log);

}  // namespace presil
