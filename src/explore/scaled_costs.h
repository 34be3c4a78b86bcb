// A service whose steps all take as much longer, or less, as they may by what `run` says of them.
#pragma once

#include "serving/step_cost.h"

namespace presil {

/// A table's steps, all as much slower or faster. Energy stays: what is drawn is not what is timed.
class ScaledCosts : public serving::StepCosts {
 public:
  /// `costs` outlives it. Requires factor > 0.
  ScaledCosts(const serving::StepCosts& costs, double factor) : costs_(costs), factor_(factor) {}

  serving::StepCost cost(const serving::StepFeatures& step) const override;

 private:
  const serving::StepCosts& costs_;
  double factor_;
};

}  // namespace presil
