// Low and high beside a predicted time: what the scoreboard found of kernels like these, and what
// the chip's own estimates leave open.
#pragma once

#include <array>
#include <map>
#include <string_view>
#include <vector>

#include "chip/library.h"
#include "explore/phase.h"
#include "kernels/library.h"
#include "kernels/uncertainty.h"

namespace presil {

/// Factors of a time: measured ones are expected from low to high, eight times in ten.
struct TimeBand {
  double low = 1, high = 1;
};

/// How far a rate that a chip's file calls an estimate may be off, either way. A guess itself: most
/// such fields are bounded by a figure that is known, as their sources say.
inline constexpr double kEstimateSpread = 1.25;

/// Kernels of one class err alike, and all classes of a run are taken to err to the same side, so
/// their bands add up by time. A time that was charged to a resource whose rate is an estimate is
/// open by kEstimateSpread. Both are independent: they add in quadrature, as logarithms. No time
/// is expected below that of its DRAM bytes at the data sheet's rate, nor a phase below that of its
/// products at the engines' peak.
class ErrorModel {
 public:
  ErrorModel() = default;

  /// Of a chip with these files, whose kernels `library` times if it has laws. A chip that
  /// constants were fitted on has no open estimates: the constants carry what they miss.
  ErrorModel(kernels::Uncertainty uncertainty, const ChipFiles& chip,
             const kernels::Library& library);

  TimeBand of(const PhaseResult& phase) const;
  TimeBand of(const KernelTime& kernel) const;

  const kernels::Uncertainty& uncertainty() const { return uncertainty_; }
  kernels::Nearness nearness() const { return nearness_; }
  /// The resources whose rates are estimates.
  std::vector<Resource> estimated() const;

 private:
  /// `fastest`: seconds that no error explains away.
  TimeBand band(const std::map<ErrorClass, Picoseconds>& by_class, const Charges& charges,
                double fastest) const;
  double spread_of(Resource resource) const;
  double seconds_of(Bytes dram_bytes) const;

  kernels::Uncertainty uncertainty_;
  kernels::Nearness nearness_ = kernels::Nearness::unmeasured;
  std::array<bool, kResources> estimated_{};
  BytesPerSecond dram_peak_;
  std::map<Format, FlopsPerSecond> peaks_;  // at the highest clock
};

}  // namespace presil
