#include "explore/scaled_costs.h"

#include <algorithm>
#include <cmath>

namespace presil {
namespace {

Nanoseconds scaled(Nanoseconds time, double factor) {
  return Nanoseconds(
      std::max<std::int64_t>(1, std::llround(static_cast<double>(time.count()) * factor)));
}

}  // namespace

serving::StepCost ScaledCosts::cost(const serving::StepFeatures& step) const {
  serving::StepCost cost = costs_.cost(step);
  cost.time = scaled(cost.time, factor_);
  cost.interval = scaled(cost.interval, factor_);
  return cost;
}

}  // namespace presil
