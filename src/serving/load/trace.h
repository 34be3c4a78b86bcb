// Recorded requests: when they came, how much they read and wrote; never their text.
//
// Formats are told apart by the first line, whatever the file is called:
//   Azure      TIMESTAMP,ContextTokens,GeneratedTokens       UTC times with up to 9 digits
//   lengths    arrival_ns,input_tokens,output_tokens         and the same
//              num_prefill_tokens,num_decode_tokens          without arrivals
//   Mooncake   {"timestamp": ms, "input_length": n, "output_length": n, "hash_ids": [...]}
// CSV columns are found by name; further columns and keys are ignored.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/csv_text.h"
#include "base/lines.h"
#include "base/units.h"
#include "serving/load/trace_line.h"

namespace presil::serving {

/// The most that one request of any load may read, or write. Far above any model's context.
inline constexpr std::int64_t kMostTokens = 10'000'000;

struct TraceRow {
  Nanoseconds arrival;  // since the first request of the file; 0 in files without arrivals
  std::int64_t prompt_tokens = 0;
  std::int64_t output_tokens = 0;
  std::vector<std::uint64_t> prefix;  // names of the prompt's blocks; the last block may be short
};

/// One pass over a trace, in constant memory.
class Trace {
 public:
  /// What the file calls its values; no arrival: it has none.
  struct Names {
    std::string_view arrival, prompt, output;
  };

  /// Reads the first line. Throws MissingInput for a file that cannot be opened, InputError for one
  /// that is no trace. `name` stands for the file in messages.
  Trace(const std::filesystem::path& file, const std::string& name);

  bool has_arrivals() const { return !names_.arrival.empty(); }
  /// Tokens that each name of TraceRow::prefix stands for; 0 in files that have none.
  std::int64_t prefix_block() const;

  /// Reads the next request into `row`, whose memory is used again; false at the end. Throws
  /// InputError with line and column for one that is not whole, asks for nothing or for more than
  /// kMostTokens, or came before the one above it; and for a file without requests.
  bool next(TraceRow& row);

 private:
  struct Format;
  static const std::array<Format, 3> kCsvFormats;

  void read_header(std::string_view line);
  void read_csv(std::string_view line);
  void check_tokens(std::string_view name, const Cell& cell, std::int64_t tokens) const;
  void check_order(std::string_view written);
  [[noreturn]] void refuse(const Cell& cell, const std::string& message) const;

  Lines lines_;
  const Format* csv_ = nullptr;  // nullptr: JSON objects
  Names names_;
  std::array<std::size_t, 3> columns_{};  // of arrival, prompt and output in a CSV file
  std::size_t fields_of_header_ = 0;
  CsvFields fields_;
  TraceLine line_;
  std::string last_arrival_;  // as the file writes it
  std::int64_t first_ns_ = 0;
  std::int64_t last_ns_ = 0;
  std::int64_t requests_ = 0;
};

/// A pass over the whole of a trace, or its first `most` requests.
struct TraceSummary {
  std::int64_t requests = 0;
  std::int64_t prompt_tokens = 0;  // of all requests
  std::int64_t output_tokens = 0;
  Nanoseconds span;  // from the first arrival to the last

  /// Requests a second: gaps over span. 0 when there is no span.
  PerSecond rate() const;
};
TraceSummary summarize(Trace trace, std::int64_t most);

/// Where a trace is, and what to call it in messages.
struct TraceFile {
  std::filesystem::path path;
  std::string name;
};

/// `trace` as the name of a file in data/traces of `home`, with or without its endings
/// ("azure2023_conv"), or as a path. Throws MissingInput with the names there are.
TraceFile find_trace(const std::string& trace, const std::filesystem::path& home);

}  // namespace presil::serving
