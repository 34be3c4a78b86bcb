// The instructions of a core, from a file in the format of Ramulator's CPU traces. A line is
//
//   BUBBLES LOAD [STORE]
//
// BUBBLES instructions that touch no memory, then a load, then perhaps a store. Addresses are in
// bytes, decimal or 0x.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

struct TraceLine {
  std::uint64_t bubbles = 0;
  std::uint64_t load = 0;
  std::optional<std::uint64_t> store;
};

/// Throws std::runtime_error, with file and line, for a line that is not one and an empty trace.
std::vector<TraceLine> read_trace(const std::string& file);

struct Instruction {
  enum Kind { plain, load, store } kind = plain;
  std::uint64_t address = 0;
};

/// A trace instruction by instruction, repeated until it has given `loads` loads.
class Instructions {
 public:
  Instructions(std::vector<TraceLine> trace, std::uint64_t loads);

  bool is_over() const { return loads_left_ == 0; }
  /// Requires !is_over().
  Instruction current() const;
  void next();

 private:
  const TraceLine& line() const { return trace_[line_]; }

  std::vector<TraceLine> trace_;
  std::uint64_t loads_left_;
  std::size_t line_ = 0;
  std::uint64_t place_ = 0;  // in the line: its bubbles, its load, its store
};
