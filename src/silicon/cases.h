// Measured rows made ready to be predicted: each with its chip, its law's call, and what the memory
// engine says of its traffic. All that does not depend on constants is done once.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "silicon/fit.h"
#include "silicon/law_rows.h"
#include "silicon/measured_chips.h"
#include "silicon/roofline.h"
#include "silicon/rows.h"

namespace presil::silicon {

struct Case {
  const Row* row = nullptr;
  const MeasuredChip* chip = nullptr;
  LawRow law;
  double dram_us = 0;
  std::optional<RowTime> tiles;  // on a chip without a kernel library; else the law says
  Demand demand;
  std::uint64_t hash = 0;  // of all that names the row: the same in any order of the files
};

/// Rows that cannot be predicted, by operator, chip, type, engine and reason.
struct SkippedKey {
  std::string op, kind, chip, dtype, kv_dtype, backend, reason;
  auto operator<=>(const SkippedKey&) const = default;
};
using Skipped = std::map<SkippedKey, std::int64_t>;

class Cases {
 public:
  /// Takes the rows in; of more than `sample` (0: no limit) those with the smallest hashes. `home`
  /// is where chips/ and networks/ are. Throws InputError for a chip's file that is wrong.
  Cases(Dataset data, std::int64_t sample, std::filesystem::path home);

  const std::vector<Case>& all() const { return cases_; }
  const Skipped& skipped() const { return skipped_; }
  const std::vector<std::string>& notes() const { return data_.notes; }
  /// Of chips that rows name and that have a file.
  const MeasuredChips& chips() const { return *chips_; }

 private:
  Dataset data_;
  std::unique_ptr<MeasuredChips> chips_;
  std::vector<Case> cases_;  // in the order of the rows
  Skipped skipped_;
};

/// Of all fields that name a row but not of what was measured.
std::uint64_t hash_of(const Row& row);

/// Of what rows of one family share: a product's weights, attention's heads, a collective's ranks.
/// Rows held back together in a fold.
std::uint64_t family_of(const Row& row);

/// What was measured is the time of the host that launched the kernels, not of the chip.
bool is_host_time(const Row& row);

/// What its law says of a case, with the law's constants in its situation.
RowTime time_of(const Case& c, kernels::Constants constants);

/// The fit of one operator's law, or of the roofline, to these cases; they outlive the problem.
FitProblem law_problem(const std::vector<const Case*>& cases);
FitProblem roofline_problem(const std::vector<const Case*>& cases);

}  // namespace presil::silicon
