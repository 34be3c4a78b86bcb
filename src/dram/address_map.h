// Which bank, row and column of a pseudo-channel an atom lives in.
//
// A mapping is a string of fields, most significant first, as in
//
//   row stack_id bank column bank_group column:2
//
// where "column:2" is a digit of radix 2 and a field without a radix takes what is left of it, so
// parts need not be powers of two (mixed radix). A field may be split into several digits. Hashes
// follow: "bank^row/4" replaces bank by bank XOR (row / 4 mod banks), in the order written.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "chip/memory_part.h"

namespace presil::dram {

struct Location {
  std::int32_t bank = 0;  // (stack_id x bank_groups + bank_group) x banks + bank
  std::int32_t row = 0;
  std::int32_t column = 0;  // in atoms
};

class AddressMap {
 public:
  /// Throws InputError for an unknown field or one that is not covered exactly, and for a hash of a
  /// field whose size is not a power of two (XOR would leave it).
  AddressMap(std::string_view text, const MemoryPart& part);

  /// Atoms of one pseudo-channel.
  std::int64_t atoms() const { return atoms_; }

  /// Requires 0 <= atom < atoms().
  Location locate(std::int64_t atom) const {
    if (sweep_.empty()) return locate_by_digits(atom);
    std::int64_t row = 0, rest = 0;
    if (sweep_shift_ >= 0) {
      row = atom >> sweep_shift_;
      rest = atom & (static_cast<std::int64_t>(sweep_.size()) - 1);
    } else {
      row = atom / static_cast<std::int64_t>(sweep_.size());
      rest = atom % static_cast<std::int64_t>(sweep_.size());
    }
    Location at = sweep_[static_cast<std::size_t>(rest)];
    at.row = static_cast<std::int32_t>(row);
    return at;
  }

  /// The least shift, in atoms, that nothing in the timing can tell: it permutes banks within the
  /// structure of stack IDs and bank groups and moves each bank's rows by a constant. 0 when
  /// there is none short of the whole pseudo-channel.
  std::int64_t period() const { return period_; }
  std::int64_t rows() const { return rows_; }
  /// Whether all rows are alike: row r + 1 begins row_sweep() atoms after row r, and is laid out
  /// the same.
  bool is_row_on_top() const;
  /// Atoms in one row of every bank. Where there is a period, it is one: each bank's row moves by
  /// one.
  std::int64_t row_sweep() const { return atoms_ / rows_; }

 private:
  static constexpr int kFields = 5;
  struct Digit {
    int field = 0;
    std::int64_t radix = 0;
    int shift = -1;  // log2(radix) when that is whole
    std::int32_t weight = 1;
  };
  struct Hash {
    int target = 0, source = 0;
    std::int32_t divisor = 1, mask = 0;
  };

  void add_digit(std::string_view token);
  void add_hash(std::string_view token);
  Location locate_by_digits(std::int64_t atom) const;
  void tabulate_sweep();
  void complete_digits();
  bool is_period(std::int64_t shift, std::int64_t sweep) const;
  std::int64_t find_period() const;

  std::array<std::int64_t, kFields> sizes_{};
  std::vector<Digit> digits_;  // least significant first
  std::vector<Hash> hashes_;
  std::int64_t atoms_ = 0, rows_ = 1;
  std::int64_t period_ = 0;
  // Where all rows are alike, the places of the first row's atoms.
  std::vector<Location> sweep_;
  int sweep_shift_ = -1;  // log2 of their number when that is whole
};

}  // namespace presil::dram
