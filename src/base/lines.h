// The lines of a text file, plain or gzipped, one at a time: constant memory for files of any
// length.
#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace presil {

class Lines {
 public:
  static constexpr std::size_t kLongestLine = std::size_t{1} << 20;

  /// Opens `file`, called `name` in messages (by default its path). Throws MissingInput when it is
  /// not a regular file or cannot be opened.
  explicit Lines(const std::filesystem::path& file, std::string name = {},
                 std::int64_t most_text = std::numeric_limits<std::int64_t>::max());
  Lines(Lines&&) noexcept;
  Lines& operator=(Lines&&) noexcept;
  ~Lines();

  /// The next line, without its end (LF or CR LF) and without a byte order mark; nothing at the end
  /// of the file. It lives until the next call. Throws InputError for a line over kLongestLine
  /// bytes, for more than `most_text` bytes in all, and for broken compression.
  std::optional<std::string_view> next();

  /// Of the line that next() gave last, counted from 1.
  std::int64_t number() const { return number_; }
  const std::string& name() const { return name_; }

  /// A complaint about `length` characters of the line that next() gave last.
  Diagnostic complaint(int column, std::string message, int length = 1) const;

 private:
  struct Stream;

  bool refill();
  InputError refused(const std::string& message) const;

  std::string name_;
  std::int64_t most_text_;
  std::unique_ptr<Stream> stream_;
  std::vector<char> buffer_;  // holds at least one whole line of any length we accept
  std::size_t begin_ = 0;     // of what is read and not yet given
  std::size_t end_ = 0;
  std::int64_t text_ = 0;  // bytes read so far
  std::int64_t number_ = 0;
  std::string_view line_;
};

}  // namespace presil
