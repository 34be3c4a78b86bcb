// The GGUF v3 container: typed keys, a table of tensors, and their bytes.
//
// Parsing checks every count, length and offset against the file and allocates only for what is
// really there; values stay in the file until somebody asks for one. What the keys and tensors
// mean is told by weights.h.
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

#include "base/error.h"
#include "model/gguf_cursor.h"
#include "model/gguf_tensors.h"

namespace presil {

struct GgufValue {
  GgufType type = GgufType::u8;
  GgufType element = GgufType::u8;   // of an array
  std::uint64_t count = 1;           // elements of an array
  std::span<const std::byte> bytes;  // a string's text; an array's elements
};

class Gguf {
 public:
  /// Parses `file`, which must outlive this object. `path` is for the messages. Throws InputError.
  Gguf(std::span<const std::byte> file, const std::filesystem::path& path);

  bool has(std::string_view key) const { return values_.contains(key); }
  /// The value of a key, or nothing when there is no such key. Throws InputError for another type
  /// (any integer type serves as an integer) or an integer outside [min, max].
  std::optional<std::int64_t> integer(std::string_view key, std::int64_t min,
                                      std::int64_t max) const;
  std::optional<double> number(std::string_view key) const;
  std::optional<bool> flag(std::string_view key) const;
  std::optional<std::string_view> text(std::string_view key) const;
  /// Arrays; empty when there is no such key.
  std::vector<std::string> texts(std::string_view key) const;
  std::vector<std::int64_t> integers(std::string_view key) const;
  std::vector<float> numbers(std::string_view key) const;

  /// All keys, for those who copy them.
  const std::map<std::string_view, GgufValue>& values() const { return values_; }
  std::span<const GgufTensor> tensors() const { return tensors_; }

  /// An InputError about this file.
  InputError error(const std::string& message) const;

 private:
  const GgufValue* find(std::string_view key) const;
  std::string path_;
  std::map<std::string_view, GgufValue> values_;
  std::vector<GgufTensor> tensors_;
};

}  // namespace presil
