#include "model/gguf_tensors.h"

#include <algorithm>
#include <set>
#include <string>

#include <fmt/format.h>

namespace presil {
namespace {

constexpr std::uint64_t kMaxTensorName = 64;  // the GGUF specification
constexpr std::uint32_t kMaxDimensions = 4;   // the GGUF specification
constexpr std::int64_t kMaxElements = std::int64_t{1} << 48;

// Tensor type numbers: ggml.h, enum ggml_type.
constexpr GgmlFormat kFormats[] = {{0, Format::fp32},  {1, Format::fp16}, {30, Format::bf16},
                                   {2, Format::q4_0},  {3, Format::q4_1}, {6, Format::q5_0},
                                   {7, Format::q5_1},  {8, Format::q8_0}, {12, Format::q4_K},
                                   {13, Format::q5_K}, {14, Format::q6_K}};
struct GgmlName {
  std::uint32_t id;
  std::string_view name;
};
constexpr GgmlName kNames[] = {
    {0, "F32"},     {1, "F16"},    {2, "Q4_0"},     {3, "Q4_1"},    {6, "Q5_0"},     {7, "Q5_1"},
    {8, "Q8_0"},    {9, "Q8_1"},   {10, "Q2_K"},    {11, "Q3_K"},   {12, "Q4_K"},    {13, "Q5_K"},
    {14, "Q6_K"},   {15, "Q8_K"},  {16, "IQ2_XXS"}, {17, "IQ2_XS"}, {18, "IQ3_XXS"}, {19, "IQ1_S"},
    {20, "IQ4_NL"}, {21, "IQ3_S"}, {22, "IQ2_S"},   {23, "IQ4_XS"}, {24, "I8"},      {25, "I16"},
    {26, "I32"},    {27, "I64"},   {28, "F64"},     {29, "IQ1_M"},  {30, "BF16"},    {34, "TQ1_0"},
    {35, "TQ2_0"},  {39, "MXFP4"},
};

std::string name_of(std::uint32_t id) {
  for (const GgmlName& n : kNames) {
    if (n.id == id) return std::string(n.name);
  }
  return fmt::format("number {}", id);
}

struct TensorEntry {
  GgufTensor tensor;
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};

void read_shape(GgufCursor& cursor, TensorEntry& entry, const std::string& what) {
  const auto n = cursor.number<std::uint32_t>(what + ": number of dimensions");
  if (n < 1 || n > kMaxDimensions) {
    throw cursor.error(fmt::format("{}: expected 1 to 4 dimensions, found {}", what, n));
  }
  std::vector<std::int64_t>& shape = entry.tensor.shape;
  std::int64_t elements = 1;
  for (std::uint32_t i = 0; i < n; ++i) {
    const auto dimension = cursor.number<std::uint64_t>(what + ": dimensions");
    if (dimension < 1 || dimension > static_cast<std::uint64_t>(kMaxElements / elements)) {
      throw cursor.error(fmt::format("{}: dimension {} is absurd: {}", what, i, dimension));
    }
    elements *= static_cast<std::int64_t>(dimension);
    shape.push_back(static_cast<std::int64_t>(dimension));
  }
  std::reverse(shape.begin(), shape.end());  // the file has the fastest first
}

void read_format(GgufCursor& cursor, TensorEntry& entry, const std::string& what) {
  const auto id = cursor.number<std::uint32_t>(what + ": type");
  const auto known = std::find_if(std::begin(kFormats), std::end(kFormats),
                                  [&](const GgmlFormat& f) { return f.id == id; });
  if (known == std::end(kFormats)) {
    std::string names;
    for (const GgmlFormat& f : kFormats) names += (names.empty() ? "" : ", ") + name_of(f.id);
    throw cursor.error(fmt::format("{}: type {} is not supported yet; supported are {}", what,
                                   name_of(id), names));
  }
  const FormatInfo& format = info(known->format);
  const std::int64_t row = entry.tensor.shape.back();
  if (row % format.block_elements != 0) {
    throw cursor.error(
        fmt::format("{}: expected rows of whole blocks of {} elements, found rows of "
                    "{}",
                    what, format.block_elements, row));
  }
  std::int64_t elements = 1;
  for (const std::int64_t d : entry.tensor.shape) elements *= d;
  entry.tensor.format = known->format;
  entry.size = static_cast<std::uint64_t>(bytes_of(known->format, elements).count());
}

TensorEntry read_tensor(GgufCursor& cursor) {
  TensorEntry entry;
  entry.tensor.name = cursor.text(kMaxTensorName, "a tensor's name");
  const std::string what = fmt::format("tensor '{}'", name_for_message(entry.tensor.name));
  read_shape(cursor, entry, what);
  read_format(cursor, entry, what);
  entry.offset = cursor.number<std::uint64_t>(what + ": offset");
  return entry;
}

/// Gives every tensor its bytes; they must be aligned, inside the file and each their own.
void place_tensors(std::vector<TensorEntry>& entries, std::size_t alignment,
                   const GgufCursor& cursor) {
  const std::span<const std::byte> data = cursor.rest();
  std::vector<const TensorEntry*> by_offset;
  for (TensorEntry& e : entries) {
    const std::string what = fmt::format("tensor '{}'", name_for_message(e.tensor.name));
    if (e.offset % alignment != 0) {
      throw cursor.error(fmt::format("{}: expected an offset that is a multiple of {}, found {}",
                                     what, alignment, e.offset));
    }
    if (e.offset > data.size() || e.size > data.size() - e.offset) {
      throw cursor.error(
          fmt::format("{}: expected {} bytes at offset {} of the data, found a data "
                      "section of {} bytes; is the file cut short?",
                      what, e.size, e.offset, data.size()));
    }
    e.tensor.data = data.subspan(e.offset, e.size);
    by_offset.push_back(&e);
  }
  std::stable_sort(by_offset.begin(), by_offset.end(),
                   [](const auto* a, const auto* b) { return a->offset < b->offset; });
  for (std::size_t i = 1; i < by_offset.size(); ++i) {
    const TensorEntry& before = *by_offset[i - 1];
    if (before.offset + before.size > by_offset[i]->offset) {
      throw cursor.error(fmt::format("tensor '{}': overlaps tensor '{}'",
                                     name_for_message(by_offset[i]->tensor.name),
                                     name_for_message(before.tensor.name)));
    }
  }
}

}  // namespace

std::span<const GgmlFormat> ggml_formats() {
  return kFormats;
}

std::vector<GgufTensor> read_tensors(GgufCursor& cursor, std::uint64_t count,
                                     std::size_t alignment) {
  std::vector<TensorEntry> entries;
  std::set<std::string_view> names;
  for (std::uint64_t i = 0; i < count; ++i) {
    entries.push_back(read_tensor(cursor));
    const std::string_view name = entries.back().tensor.name;
    if (!names.insert(name).second) {
      throw cursor.error(fmt::format("tensor '{}': appears twice", name_for_message(name)));
    }
  }
  std::vector<GgufTensor> tensors;
  if (entries.empty()) return tensors;
  cursor.take((alignment - cursor.position() % alignment) % alignment, "padding before the data");
  place_tensors(entries, alignment, cursor);
  for (TensorEntry& e : entries) tensors.push_back(std::move(e.tensor));
  return tensors;
}

}  // namespace presil
