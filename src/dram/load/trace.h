// Traces of memory requests, read line by line: a hundred million lines take no more memory than
// one. Two formats, told apart by the first line:
//
//   LD 0x12345680        Ramulator 2 (load/store): an address in hex, or in decimal without 0x
//   0x12345680 READ 100  DRAMsim3: an address in hex, with or without 0x; a cycle in decimal
//
// DRAMsim3's cycles are of the command clock (CK), and never go back. Blank lines and lines that
// begin with '#' are passed over. docs/dram.md is the page for those who write one.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace presil::dram {

struct TraceRequest {
  std::int64_t address = 0;  // in bytes
  bool write = false;
  std::int64_t cycle = 0;  // not sent before, in CK; 0 throughout a Ramulator 2 trace
};

class TraceReader {
 public:
  static constexpr std::size_t kLongestLine = 255;
  static constexpr std::int64_t kLastCycle = 1'000'000'000'000'000;

  /// Of a memory of `capacity` bytes. Throws MissingInput when the file cannot be opened.
  TraceReader(const std::filesystem::path& path, std::int64_t capacity);

  /// The next request; false at the end. Throws InputError with file, line and column for a line
  /// that is none of its format, an address past the end of the memory, a cycle that goes back, and
  /// at the end of a trace without a request.
  bool next(TraceRequest& request);

 private:
  enum class Format { unknown, ramulator2, dramsim3 };

  struct Word {
    std::string_view text;
    std::size_t at = 0;  // in the line
  };

  bool next_line();
  Word take_word();
  bool take_direction(const Word& word, std::string_view read, std::string_view write) const;
  std::int64_t take_address(const Word& word, bool always_hex) const;
  std::int64_t take_cycle(const Word& word) const;
  [[noreturn]] void fail(const Word& word, const std::string& message) const;

  std::string name_;
  std::ifstream file_;
  std::int64_t capacity_;
  Format format_ = Format::unknown;
  char buffer_[kLongestLine + 1] = {};
  std::string_view line_;
  std::size_t at_ = 0;  // in the line
  std::int64_t line_number_ = 0, requests_ = 0, last_cycle_ = 0;
};

}  // namespace presil::dram
