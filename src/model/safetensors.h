// The safetensors container: a JSON table of tensors, and their bytes one after the other.
//
// A file is the length of its header (8 bytes), the header and the data. The header is read in one
// pass that keeps names, shapes and offsets only; all of it is untrusted and held against the file.
// What the tensors mean is told by safetensors_model.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/number_format.h"

namespace presil {

struct SafetensorsTensor {
  std::string dtype;                // "BF16"
  std::vector<std::int64_t> shape;  // slowest first; empty for a single number
  std::span<const std::byte> data;
};

using SafetensorsTable = std::map<std::string, SafetensorsTensor, std::less<>>;

/// Reads the table of `file`, which must outlive what is returned. `path` is for the messages.
/// Throws InputError for a header that is cut short, over 100 MB, malformed or not of the format,
/// names given twice, data types that safetensors does not have, sizes that contradict the shape,
/// and data with gaps, overlaps or an end other than the file's.
SafetensorsTable read_safetensors(std::span<const std::byte> file,
                                  const std::filesystem::path& path);

/// The format of weights that `dtype` is, if it is one we compute with.
std::optional<Format> weight_format(std::string_view dtype);
/// "F32, F16, BF16, ...": the data types that weights may have.
std::string supported_dtypes();

}  // namespace presil
