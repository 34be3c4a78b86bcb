// Writing GGUF v3 files: a head of keys and a table of tensors, then the tensors one by one, so
// that a file may be larger than memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <iosfwd>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/number_format.h"
#include "model/gguf.h"

namespace presil {

/// Everything of a file before its data. Keys and tensors keep the order in which they are added.
class GgufHead {
 public:
  /// `value` is the bytes that follow the type.
  GgufHead& key(std::string_view name, GgufType type, const std::string& value);
  /// A key of another file.
  GgufHead& key(std::string_view name, const GgufValue& value);
  GgufHead& u32(std::string_view name, std::uint32_t value);
  GgufHead& u64(std::string_view name, std::uint64_t value);
  GgufHead& f32(std::string_view name, float value);
  GgufHead& flag(std::string_view name, bool value);
  GgufHead& string(std::string_view name, std::string_view value);
  GgufHead& strings(std::string_view name, std::span<const std::string> values);
  GgufHead& integers(std::string_view name, std::span<const std::int32_t> values);

  /// A tensor of ggml's type number `type`, `offset` bytes into the data; `shape` slowest first.
  GgufHead& tensor(std::string_view name, std::uint32_t type, std::span<const std::int64_t> shape,
                   std::uint64_t offset);

  /// Ends with zeros to a multiple of `alignment`, where the data begin.
  std::string bytes(std::size_t alignment = kGgufAlignment) const;

  static std::string text(std::string_view text);
  static std::string array_head(GgufType element, std::uint64_t count);
  static constexpr std::size_t kGgufAlignment = 32;  // where no key says otherwise

 private:
  std::uint64_t n_keys_ = 0;
  std::uint64_t n_tensors_ = 0;
  std::string keys_;
  std::string table_;
};

/// A tensor to be written: `write` puts out exactly the bytes of `shape` (slowest first).
struct GgufSource {
  std::string name;
  Format format = Format::fp32;
  std::vector<std::int64_t> shape;
  std::function<void(std::ostream&)> write;
};

/// Writes a file with the keys of `head` and the tensors, each at a multiple of 32 bytes. Throws
/// InputError when `path` cannot be written.
void write_gguf(const std::filesystem::path& path, GgufHead head,
                std::span<const GgufSource> tensors);

}  // namespace presil
