// How far a service may be off because its steps' times are: low and high of what `run` says of
// steps like its own, served once more.
#pragma once

#include <vector>

#include "explore/deployment.h"
#include "explore/error_model.h"
#include "explore/step_sample.h"
#include "serving/step_cost.h"

namespace presil {

/// Factors of the times of `steps` together: of a few of them, evenly chosen, each weighing as much
/// as it takes. {1, 1} without steps.
TimeBand time_band(const Deployment& deployment, const std::vector<SampledStep>& steps);

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
