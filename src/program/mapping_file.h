// Mappings as a file, to be edited and pinned: docs/mapping.md.
//
//   presil: mapping/1
//   mappings:
//     - {kernel: layer.qkv, rows: 16, loops: [n/96 cores, m/16 cores, k/256 time], split_k: 4}
//     - {kernel: layer.qkv, loops: [m/2048 time, n/192 cores, m/256 cores, k/64 time]}
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/document.h"
#include "base/fields.h"
#include "program/program.h"

namespace presil {

/// One mapping of a file, not yet held against a program.
struct PinnedMapping {
  std::string kernel;
  Mapping mapping;
  Node node;  // where it stands

  /// Where its field `key` stands; of item `index` of a list. The mapping itself when it has none.
  const Place& place(std::string_view key) const;
  const Place& place(std::string_view key, std::size_t index) const;
};

/// Throws InputError with every complaint.
std::vector<PinnedMapping> read_mapping_file(const Node& root);

/// Describes the schema, for `presil schema mapping`.
Schema mapping_file_schema();

/// The mappings of all kernels, as such a file.
std::string print_mappings(const Program& program);

/// What a file calls the kernels of a program, block by block: "layer.qkv"; "layer#2.qkv" in the
/// second block of the name.
std::vector<std::vector<std::string>> kernel_labels(const Program& program);

}  // namespace presil
