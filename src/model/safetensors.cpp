#include "model/safetensors.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "base/error.h"
#include "model/gguf_cursor.h"
#include "model/safetensors_header.h"

namespace presil {
namespace {

constexpr std::uint64_t kMaxHeader = 100'000'000;  // the safetensors library's own bound
constexpr std::uint64_t kMaxElements = std::uint64_t{1} << 48;

struct Dtype {
  std::string_view name;
  int bits;
  std::optional<Format> format;  // that weights may have
};

// safetensors, src/tensor.rs, enum Dtype.
constexpr Dtype kDtypes[] = {
    {"F32", 32, Format::fp32},
    {"F16", 16, Format::fp16},
    {"BF16", 16, Format::bf16},
    {"F8_E4M3", 8, Format::fp8_e4m3},
    {"F8_E5M2", 8, Format::fp8_e5m2},
    {"F8_E8M0", 8, {}},
    {"F6_E2M3", 6, {}},
    {"F6_E3M2", 6, {}},
    {"F4", 4, {}},
    {"BOOL", 8, {}},
    {"U8", 8, {}},
    {"I8", 8, {}},
    {"U16", 16, {}},
    {"I16", 16, {}},
    {"U32", 32, {}},
    {"I32", 32, {}},
    {"U64", 64, {}},
    {"I64", 64, {}},
    {"F64", 64, {}},
    {"C64", 64, {}},
};

const Dtype* find_dtype(std::string_view name) {
  const auto* found = std::find_if(std::begin(kDtypes), std::end(kDtypes),
                                   [&](const Dtype& d) { return d.name == name; });
  return found == std::end(kDtypes) ? nullptr : found;
}

/// The bytes that the entry's shape takes.
std::uint64_t size_of_shape(const SafetensorsEntry& e, const std::string& what,
                            const std::string& path) {
  const Dtype* dtype = find_dtype(e.dtype);
  if (dtype == nullptr) {
    throw file_error(path, fmt::format("{}: dtype \"{}\" is not known; supported are {}", what,
                                       name_for_message(e.dtype), supported_dtypes()));
  }
  std::uint64_t elements = 1;
  for (const std::uint64_t d : e.shape) {
    if (d > kMaxElements / std::max<std::uint64_t>(elements, 1)) {
      throw file_error(path, fmt::format("{}: a dimension is absurd: {}", what, d));
    }
    elements *= d;
  }
  return (elements * static_cast<std::uint64_t>(dtype->bits) + 7) / 8;
}

/// Each tensor's bytes begin where those before it end, and the last end with the file.
void check_coverage(const std::vector<SafetensorsEntry>& entries, std::uint64_t data_size,
                    const std::string& path) {
  std::vector<const SafetensorsEntry*> by_offset;
  for (const SafetensorsEntry& e : entries) by_offset.push_back(&e);
  std::sort(by_offset.begin(), by_offset.end(),
            [](const auto* a, const auto* b) { return a->offsets < b->offsets; });
  std::uint64_t end = 0;
  for (const SafetensorsEntry* e : by_offset) {
    if (e->offsets[0] != end) {
      throw file_error(path,
                       fmt::format("tensor '{}': expected data from offset {} on, where the tensor "
                                   "before it ends, found offset {}",
                                   name_for_message(e->name), end, e->offsets[0]));
    }
    end = e->offsets[1];
  }
  if (end != data_size) {
    throw file_error(path, fmt::format("expected {} bytes of data, found {}{}", end, data_size,
                                       data_size < end ? "; is the file cut short?" : ""));
  }
}

}  // namespace

SafetensorsTable read_safetensors(std::span<const std::byte> file,
                                  const std::filesystem::path& file_path) {
  const std::string path = file_path.string();
  GgufCursor cursor(file, path);
  const auto length = cursor.number<std::uint64_t>("length of the header");
  if (length > kMaxHeader) {
    throw file_error(path, fmt::format("length of the header: expected at most {} bytes, found {}; "
                                       "is this a safetensors file?",
                                       kMaxHeader, length));
  }
  const std::string_view header = as_text(cursor.take(length, "header"));
  const std::vector<SafetensorsEntry> entries = parse_safetensors_header(header, path);
  const std::span<const std::byte> data = cursor.rest();

  for (const SafetensorsEntry& e : entries) {
    const std::string what = fmt::format("tensor '{}'", name_for_message(e.name));
    const std::uint64_t size = size_of_shape(e, what, path);
    if (e.offsets[0] > e.offsets[1] || e.offsets[1] - e.offsets[0] != size) {
      throw file_error(path, fmt::format("{}: expected {} bytes for its shape, found data_offsets "
                                         "[{}, {}]",
                                         what, size, e.offsets[0], e.offsets[1]));
    }
  }
  check_coverage(entries, data.size(), path);

  SafetensorsTable table;
  for (const SafetensorsEntry& e : entries) {
    const bool is_new =
        table
            .emplace(e.name,
                     SafetensorsTensor{e.dtype,
                                       {e.shape.begin(), e.shape.end()},
                                       data.subspan(e.offsets[0], e.offsets[1] - e.offsets[0])})
            .second;
    if (!is_new) {
      throw file_error(path, fmt::format("tensor '{}': appears twice", name_for_message(e.name)));
    }
  }
  return table;
}

std::optional<Format> weight_format(std::string_view dtype) {
  const Dtype* found = find_dtype(dtype);
  return found == nullptr ? std::nullopt : found->format;
}

std::string supported_dtypes() {
  std::string names;
  for (const Dtype& d : kDtypes) {
    if (d.format) names += fmt::format("{}{}", names.empty() ? "" : ", ", d.name);
  }
  return names;
}

}  // namespace presil
