#include "model/gguf.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include <fmt/format.h>

namespace presil {
namespace {

// What a real file never exceeds: the largest (Llama 3.1 405B) has 1138 tensors and some 30 keys.
constexpr std::uint64_t kMaxTensors = 1u << 16;
constexpr std::uint64_t kMaxKeys = 1u << 16;
constexpr std::uint64_t kMaxKeyLength = 65535;  // the GGUF specification
constexpr std::uint64_t kAnyLength = std::numeric_limits<std::uint64_t>::max();
constexpr std::int64_t kMaxAlignment = 1 << 20;
constexpr int kMaxNesting = 4;  // arrays of arrays

/// The fewest bytes that an element of an array takes: a string's length, an array's header.
std::size_t smallest(GgufType type) {
  if (type == GgufType::string) return 8;
  return type == GgufType::array ? 12 : size_of(type);
}

GgufValue read_value(GgufCursor& cursor, GgufType type, std::string_view what, int depth = 0) {
  GgufValue value;
  value.type = type;
  if (type == GgufType::string) {
    const std::string_view text = cursor.text(kAnyLength, what);
    value.bytes = std::as_bytes(std::span(text));
  } else if (type == GgufType::array) {
    if (depth == kMaxNesting) {
      throw cursor.error(fmt::format("{}: arrays nested more than {} deep", what, kMaxNesting));
    }
    value.element = cursor.type(what);
    value.count = cursor.count(kAnyLength, smallest(value.element), what);
    const std::size_t begin = cursor.position();
    if (const std::size_t each = size_of(value.element); each > 0) {
      cursor.take(value.count * each, what);
    } else {
      for (std::uint64_t i = 0; i < value.count; ++i) {
        read_value(cursor, value.element, what, depth + 1);
      }
    }
    value.bytes = cursor.since(begin);
  } else {
    value.bytes = cursor.take(size_of(type), what);
  }
  return value;
}

/// A scalar or array element of integer type; nothing for other types or beyond 63 bits.
std::optional<std::int64_t> as_integer(GgufType type, const std::byte* bytes) {
  switch (type) {
    case GgufType::u8:
      return load<std::uint8_t>(bytes);
    case GgufType::i8:
      return load<std::int8_t>(bytes);
    case GgufType::u16:
      return load<std::uint16_t>(bytes);
    case GgufType::i16:
      return load<std::int16_t>(bytes);
    case GgufType::u32:
      return load<std::uint32_t>(bytes);
    case GgufType::i32:
      return load<std::int32_t>(bytes);
    case GgufType::i64:
      return load<std::int64_t>(bytes);
    case GgufType::u64: {
      const auto value = load<std::uint64_t>(bytes);
      if (value >> 63 != 0) return std::nullopt;
      return static_cast<std::int64_t>(value);
    }
    case GgufType::f32:
    case GgufType::f64:
    case GgufType::boolean:
    case GgufType::string:
    case GgufType::array:
      return std::nullopt;
  }
  return std::nullopt;
}

/// The double nearest to what was meant: 9.99999975e-06f was written for 1e-5.
double as_decimal(float value) {
  if (!std::isfinite(value)) return value;
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, value).ptr;
  double decimal = 0;
  std::from_chars(text, end, decimal);
  return decimal;
}

void check_header(GgufCursor& cursor) {
  const std::string_view magic = as_text(cursor.take(4, "magic"));
  if (magic != "GGUF") {
    throw cursor.error(
        fmt::format("magic: expected \"GGUF\", found \"{}\"", name_for_message(magic)));
  }
  const auto version = cursor.number<std::uint32_t>("version");
  if (version != 3) {
    throw cursor.error(fmt::format("version: expected 3, found {}{}", version,
                                   version == 0x03000000 ? " (a big-endian file)" : ""));
  }
}

}  // namespace

Gguf::Gguf(std::span<const std::byte> file, const std::filesystem::path& path)
    : path_(path.string()) {
  GgufCursor cursor(file, path_);
  check_header(cursor);
  // A tensor takes at least a name's length, dimensions, one dimension, a type and an offset.
  const std::uint64_t n_tensors = cursor.count(kMaxTensors, 8 + 4 + 8 + 4 + 8, "tensor count");
  const std::uint64_t n_keys = cursor.count(kMaxKeys, 8 + 4 + 1, "key count");

  for (std::uint64_t i = 0; i < n_keys; ++i) {
    const std::string_view key = cursor.text(kMaxKeyLength, fmt::format("key {}", i));
    const std::string what = fmt::format("key '{}'", name_for_message(key));
    const GgufType type = cursor.type(what);
    if (!values_.emplace(key, read_value(cursor, type, what)).second) {
      throw error(fmt::format("{}: appears twice", what));
    }
  }

  const std::int64_t alignment = integer("general.alignment", 1, kMaxAlignment).value_or(32);
  if ((alignment & (alignment - 1)) != 0) {
    throw error(fmt::format("general.alignment: expected a power of two, found {}", alignment));
  }
  tensors_ = read_tensors(cursor, n_tensors, static_cast<std::size_t>(alignment));
}

InputError Gguf::error(const std::string& message) const {
  return file_error(path_, message);
}

const GgufValue* Gguf::find(std::string_view key) const {
  const auto found = values_.find(key);
  return found == values_.end() ? nullptr : &found->second;
}

std::optional<std::int64_t> Gguf::integer(std::string_view key, std::int64_t min,
                                          std::int64_t max) const {
  const GgufValue* value = find(key);
  if (value == nullptr) return std::nullopt;
  const auto number = as_integer(value->type, value->bytes.data());
  if (!number) {
    throw error(fmt::format("{}: expected an integer, found {}", key, to_string(value->type)));
  }
  if (*number < min || *number > max) {
    throw error(fmt::format("{}: expected {} to {}, found {}", key, min, max, *number));
  }
  return number;
}

std::optional<double> Gguf::number(std::string_view key) const {
  const GgufValue* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (value->type == GgufType::f32) return as_decimal(load<float>(value->bytes.data()));
  if (value->type == GgufType::f64) return load<double>(value->bytes.data());
  throw error(fmt::format("{}: expected f32 or f64, found {}", key, to_string(value->type)));
}

std::optional<bool> Gguf::flag(std::string_view key) const {
  const GgufValue* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (value->type == GgufType::boolean) return load<std::uint8_t>(value->bytes.data()) != 0;
  throw error(fmt::format("{}: expected bool, found {}", key, to_string(value->type)));
}

std::optional<std::string_view> Gguf::text(std::string_view key) const {
  const GgufValue* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (value->type == GgufType::string) return as_text(value->bytes);
  throw error(fmt::format("{}: expected string, found {}", key, to_string(value->type)));
}

std::vector<std::string> Gguf::texts(std::string_view key) const {
  std::vector<std::string> texts;
  const GgufValue* value = find(key);
  if (value == nullptr) return texts;
  if (value->type != GgufType::array || value->element != GgufType::string) {
    throw error(
        fmt::format("{}: expected an array of string, found {}", key, to_string(value->type)));
  }
  GgufCursor cursor(value->bytes, path_);
  texts.reserve(value->count);
  for (std::uint64_t i = 0; i < value->count; ++i) {
    texts.emplace_back(cursor.text(kAnyLength, key));
  }
  return texts;
}

std::vector<std::int64_t> Gguf::integers(std::string_view key) const {
  std::vector<std::int64_t> integers;
  const GgufValue* value = find(key);
  if (value == nullptr) return integers;
  const std::size_t each = size_of(value->element);
  for (std::uint64_t i = 0; value->type == GgufType::array && each > 0 && i < value->count; ++i) {
    const auto number = as_integer(value->element, value->bytes.data() + i * each);
    if (!number) break;
    integers.push_back(*number);
  }
  if (value->type != GgufType::array || integers.size() != value->count) {
    throw error(fmt::format("{}: expected an array of integers, found {}", key,
                            value->type == GgufType::array
                                ? fmt::format("an array of {}", to_string(value->element))
                                : std::string(to_string(value->type))));
  }
  return integers;
}

std::vector<float> Gguf::numbers(std::string_view key) const {
  std::vector<float> numbers;
  const GgufValue* value = find(key);
  if (value == nullptr) return numbers;
  if (value->type != GgufType::array || value->element != GgufType::f32) {
    throw error(fmt::format("{}: expected an array of f32, found {}", key, to_string(value->type)));
  }
  for (std::uint64_t i = 0; i < value->count; ++i) {
    numbers.push_back(load<float>(value->bytes.data() + i * sizeof(float)));
  }
  return numbers;
}

}  // namespace presil
