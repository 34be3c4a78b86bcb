// The JSON at the head of a safetensors file, as it stands there.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace presil {

struct SafetensorsEntry {
  std::string name;
  std::string dtype;
  std::vector<std::uint64_t> shape;
  std::vector<std::uint64_t> offsets;  // begin and end, from the start of the data
};

/// The entries of `header` in its order, without "__metadata__". Every entry has a dtype, a shape
/// of at most 8 dimensions and two offsets. Throws InputError that names `path`: malformed JSON,
/// another structure, more than 65,536 entries, names over 512 characters.
std::vector<SafetensorsEntry> parse_safetensors_header(std::string_view header,
                                                       const std::string& path);

}  // namespace presil
