// Reading forward through a GGUF file, never past its end.
//
// Every length and count is untrusted: it is compared with the bytes that are left before anything
// is taken or allocated, and a refusal names the file, what was being read, found and expected.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"

namespace presil {

/// The type of a key's value, with the numbers the format gives them.
enum class GgufType : std::uint32_t {
  u8,
  i8,
  u16,
  i16,
  u32,
  i32,
  f32,
  boolean,
  string,
  array,
  u64,
  i64,
  f64
};

std::string_view to_string(GgufType type);
/// Bytes of a value; 0 for string and array, which vary.
std::size_t size_of(GgufType type);

/// An InputError about the file as a whole.
InputError file_error(const std::string& path, std::string message);

/// A name out of the file, cut and cleaned for a message.
std::string name_for_message(std::string_view text);

std::string_view as_text(std::span<const std::byte> bytes);

template <class T>
T load(const std::byte* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

class GgufCursor {
 public:
  /// `path` is for the messages and must outlive the cursor, as must `bytes`.
  GgufCursor(std::span<const std::byte> bytes, const std::string& path)
      : bytes_(bytes), path_(path) {}

  std::size_t position() const { return at_; }
  std::span<const std::byte> rest() const { return bytes_.subspan(at_); }
  std::span<const std::byte> since(std::size_t begin) const {
    return bytes_.subspan(begin, at_ - begin);
  }

  std::span<const std::byte> take(std::uint64_t size, std::string_view what);
  template <class T>
  T number(std::string_view what) {
    return load<T>(take(sizeof(T), what).data());
  }
  /// A length and that many characters.
  std::string_view text(std::uint64_t max_length, std::string_view what);
  /// A count of things that take at least `each` bytes apiece.
  std::uint64_t count(std::uint64_t max, std::size_t each, std::string_view what);
  GgufType type(std::string_view what);

  InputError error(std::string message) const { return file_error(path_, std::move(message)); }

 private:
  std::span<const std::byte> bytes_;
  const std::string& path_;
  std::size_t at_ = 0;
};

}  // namespace presil
