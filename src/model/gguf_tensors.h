// The table of tensors of a GGUF file, and where their bytes are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/number_format.h"
#include "model/gguf_cursor.h"

namespace presil {

/// A tensor format that we read, and the number ggml gives it.
struct GgmlFormat {
  std::uint32_t id;
  Format format;
};
std::span<const GgmlFormat> ggml_formats();

struct GgufTensor {
  std::string_view name;
  Format format = Format::fp32;
  std::vector<std::int64_t> shape;  // slowest first
  std::span<const std::byte> data;
};

/// Reads `count` entries and gives each its bytes in the data section, which starts at the next
/// multiple of `alignment`. Throws InputError for names over 64 characters or given twice, formats
/// we do not read, absurd shapes, rows that are not whole blocks, and data that is not aligned,
/// leaves the file or overlaps.
std::vector<GgufTensor> read_tensors(GgufCursor& cursor, std::uint64_t count,
                                     std::size_t alignment);

}  // namespace presil
