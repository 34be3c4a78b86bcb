// A channel's whole state as numbers that do not depend on where in time and in the rows it is.
//
// Two channels with equal descriptions do the same from now on, if what is sent to them is the same
// but for a shift of all rows (modulo the rows of a bank) and of time. So when a stream that
// repeats itself finds the channel in a state it was in before, everything in between will happen
// again.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "dram/command.h"

namespace presil::dram {

/// Collects a description, as bytes. Ticks count from `now`, rows from `row`, modulo the rows of a
/// bank.
class StateKey {
 public:
  StateKey(Tick now, std::int64_t row, std::int64_t rows) : now_(now), row_(row), rows_(rows) {}

  /// Seven bits a byte, the lowest first; the top bit says that more follow.
  void add(std::int64_t number) {
    const auto sign = static_cast<std::uint64_t>(number >> 63);
    auto rest = (static_cast<std::uint64_t>(number) << 1) ^ sign;
    for (; rest >= 0x80; rest >>= 7) bytes_.push_back(static_cast<char>(rest | 0x80));
    bytes_.push_back(static_cast<char>(rest));
  }
  /// A tick of which only matters how far ahead it is.
  void add_ahead(Tick tick) { add(std::max<Tick>(tick - now_, 0)); }
  /// A tick that was, at most `span` ticks ago or as good as `span`.
  void add_past(Tick tick, Tick span = kNever) { add(std::min(now_ - tick, span)); }
  void add_row(std::int64_t row) {
    const std::int64_t step = (row - row_) % rows_;
    add(step < 0 ? step + rows_ : step);
  }
  Tick now() const { return now_; }
  const std::string& bytes() const { return bytes_; }
  /// Begins a new one, in the old one's memory.
  void restart(Tick now) {
    now_ = now;
    bytes_.clear();
  }

 private:
  Tick now_;
  std::int64_t row_, rows_;
  std::string bytes_;
};

/// Reads what StateKey::add wrote, in its order.
class StateReader {
 public:
  explicit StateReader(std::string_view bytes) : at_(bytes.data()) {}

  /// Requires that something is left.
  std::int64_t next() {
    std::uint64_t number = 0;
    for (int shift = 0;; shift += 7) {
      const auto byte = static_cast<unsigned char>(*at_++);
      number |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) break;
    }
    return static_cast<std::int64_t>(number >> 1) ^ -static_cast<std::int64_t>(number & 1);
  }

 private:
  const char* at_;
};

/// A shift of everything in time and in the rows.
struct StateShift {
  Tick ticks = 0;
  std::int64_t row_step = 0;  // 0 <= row_step < rows
  std::int64_t rows = 1;      // of a bank

  void tick(Tick& tick) const {
    if (tick != kNever) tick += ticks;
  }
  void row(int& row) const { row = static_cast<int>((row + row_step) % rows); }
};

}  // namespace presil::dram
