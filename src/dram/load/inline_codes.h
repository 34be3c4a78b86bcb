// Inline ECC: what a front end sends for the codes that lie in the rows beside their data.
//
// One atom of codes covers eight data atoms of the same row, so codes take an eighth of it. The
// front end keeps, of each bank and direction, the last codes it used: a read of data under others
// reads those first; a write under others writes them, and reads them before unless it begins with
// the first of their eight, when all eight are taken to be written. That traffic is modelled; the
// codes themselves, and what they correct, are not.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "chip/memory_part.h"
#include "dram/address_map.h"
#include "dram/state_key.h"

namespace presil::dram {

class InlineCodes {
 public:
  static constexpr std::int64_t kReach = 8;  // data atoms under one atom of codes

  explicit InlineCodes(const MemoryPart& part)
      : last_(2 * static_cast<std::size_t>(part.total_banks())) {}

  /// Calls send(write) for each access to codes, in their row, that comes before the one at `at`.
  template <class F>
  void before(const Location& at, bool write, F send) {
    const auto group = static_cast<std::int32_t>(at.column / kReach);
    Used& last = last_[static_cast<std::size_t>(at.bank) * 2 + write];
    if (last.row == at.row && last.group == group) return;
    last = {at.row, group};
    if (write && at.column % kReach != 0) send(false);
    send(write);
  }

  void describe(StateKey& key) const {
    for (const Used& used : last_) {
      key.add(used.group);
      if (used.group >= 0) key.add_row(used.row);
    }
  }
  void shift(const StateShift& shift) {
    for (Used& used : last_) {
      if (used.group >= 0) shift.row(used.row);
    }
  }

 private:
  struct Used {
    std::int32_t row = -1, group = -1;
  };
  std::vector<Used> last_;  // by bank and direction
};

}  // namespace presil::dram
