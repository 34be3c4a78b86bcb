// A command log as text: a header, then one command a line, in the order of issue.
//
//   # presil-dram-log/1 part=hbm3-6400 rate=6.4 Gb/s channels=1 pseudo_channels=2 banks=32
//   rows=16384 41 0 0 ACT 4 17 105 0 0 RD 4 17
//
// A line is: tick, channel, pseudo-channel, command, bank, row. What a command does not have (the
// row of a PREpb, the bank of a REFab) is "-". Ticks are the part's command slots. Logs are long:
// both ends stream. docs/dram_check.md is the page for people.
#pragma once

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "base/error.h"
#include "base/units.h"
#include "chip/memory_part.h"
#include "dram/command.h"

namespace presil::dram {

/// What a log says about itself; every field may be missing. Banks and rows as the checker counts
/// them: banks of a pseudo-channel, rows of a bank.
struct LogHeader {
  std::string part;
  std::optional<BitsPerSecond> rate;
  std::optional<std::int64_t> channels, pseudo_channels, banks, rows;
};

LogHeader log_header(const MemoryPart& part, BitsPerSecond rate, std::int64_t channels);

/// PREab and REFab have no bank; rows are those of ACT, RD and WR.
constexpr bool has_bank(Command command) {
  return command != Command::PREab && command != Command::REFab;
}
constexpr bool has_row(Command command) {
  return command == Command::ACT || is_column(command);
}

/// Writes a log to a stream that outlives it.
class LogWriter {
 public:
  LogWriter(std::ostream& out, const LogHeader& header);

  /// Throws std::system_error when the stream refuses.
  void write(int channel, const LoggedCommand& command);
  /// Hands over what is buffered; to be called at the end. Throws std::system_error.
  void flush();

 private:
  std::ostream& out_;
  fmt::memory_buffer buffer_;
};

struct LogEntry {
  int channel = 0;
  LoggedCommand command;
};

/// Reads a log of any length, a line at a time.
class LogReader {
 public:
  static constexpr std::size_t kLongestLine = 1000;
  static constexpr int kMostChannels = 4096;

  /// Opens `path` and reads the header. Throws MissingInput when it cannot be read, InputError for
  /// a header that is not one.
  explicit LogReader(const std::filesystem::path& path);

  const LogHeader& header() const { return header_; }
  /// Where the header's `key` stands, with `message`: for complaints that need more than the log.
  Diagnostic complaint_at(std::string_view key, std::string message) const;

  /// The next command; false at the end. Skips blank lines and comments ("#"). Throws InputError,
  /// with file:line:column, for anything else that is not a command, and MissingInput when reading
  /// fails.
  bool next(LogEntry& entry);
  /// The number of the line that the last entry stood on.
  std::int64_t line() const { return line_; }
  /// Bytes taken from the file, for progress.
  std::int64_t bytes_read() const { return bytes_read_; }

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };

  bool next_line(std::string_view& text);
  void read_header(std::string_view text);
  [[noreturn]] void fail(std::string_view line, std::string_view at, std::string message) const;

  std::string name_;
  std::unique_ptr<std::FILE, Close> file_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0, end_ = 0;  // what of the buffer is not read yet
  std::int64_t line_ = 0, bytes_read_ = 0;
  LogHeader header_;
  std::string header_text_;
};

}  // namespace presil::dram
