// A price drawn from its band.
#pragma once

#include <cmath>

#include "base/units.h"

namespace presil {

/// The value of the triangular distribution from band.low over its peak at band.typical to
/// band.high, below which a share `u` of it lies.
inline double triangular(const Band& band, double u) {
  const double width = band.high - band.low;
  if (width <= 0) return band.typical;
  const double left = band.typical - band.low;
  if (u * width < left) return band.low + std::sqrt(u * width * left);
  return band.high - std::sqrt((1 - u) * width * (band.high - band.typical));
}

}  // namespace presil
