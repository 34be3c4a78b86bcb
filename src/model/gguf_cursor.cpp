#include "model/gguf_cursor.h"

#include <algorithm>

#include <fmt/format.h>

namespace presil {
namespace {

constexpr std::string_view kTypeNames[] = {"u8",   "i8",     "u16",   "i16", "u32", "i32", "f32",
                                           "bool", "string", "array", "u64", "i64", "f64"};
constexpr std::size_t kTypeSizes[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};

}  // namespace

std::string_view to_string(GgufType type) {
  return kTypeNames[static_cast<std::size_t>(type)];
}

std::size_t size_of(GgufType type) {
  return kTypeSizes[static_cast<std::size_t>(type)];
}

InputError file_error(const std::string& path, std::string message) {
  Diagnostic d;
  d.file = path;
  d.message = std::move(message);
  return InputError(std::vector<Diagnostic>{std::move(d)});
}

std::string name_for_message(std::string_view text) {
  std::string shown(text.substr(0, 80));
  for (char& c : shown) {
    if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7f) c = '?';
  }
  return shown;
}

std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::span<const std::byte> GgufCursor::take(std::uint64_t size, std::string_view what) {
  const std::size_t left = rest().size();
  if (size > left) {
    throw error(
        fmt::format("{}: expected {} bytes at offset {}, found {} before the end; is the "
                    "file cut short?",
                    what, size, at_, left));
  }
  const auto taken = bytes_.subspan(at_, size);
  at_ += size;
  return taken;
}

std::string_view GgufCursor::text(std::uint64_t max_length, std::string_view what) {
  const auto length = number<std::uint64_t>(what);
  if (length > max_length) {
    throw error(
        fmt::format("{}: expected at most {} characters, found {}", what, max_length, length));
  }
  return as_text(take(length, what));
}

std::uint64_t GgufCursor::count(std::uint64_t max, std::size_t each, std::string_view what) {
  const auto n = number<std::uint64_t>(what);
  const auto most = std::min<std::uint64_t>(max, rest().size() / each);
  if (n > most) {
    throw error(fmt::format("{}: expected at most {} in the {} bytes left, found {}", what, most,
                            rest().size(), n));
  }
  return n;
}

GgufType GgufCursor::type(std::string_view what) {
  const auto id = number<std::uint32_t>(what);
  if (id > static_cast<std::uint32_t>(GgufType::f64)) {
    throw error(fmt::format("{}: expected a value type from 0 to 12, found {}", what, id));
  }
  return static_cast<GgufType>(id);
}

}  // namespace presil
