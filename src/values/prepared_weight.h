// A weight matrix on its way to a product: its view, and what of it has to be known before its
// first row can be turned into the numbers that are multiplied.
#pragma once

#include <span>

#include "base/numerics.h"
#include "values/weight_view.h"

namespace presil {

class PreparedWeight {
 public:
  /// `smoothing`, one factor for each column or nothing, multiplies the columns; it must outlive
  /// this object.
  PreparedWeight(const WeightView& view, const ProductNumerics& numerics,
                 std::span<const float> smoothing = {});

  const WeightView& view() const { return view_; }
  std::span<const float> smoothing() const { return smoothing_; }

 private:
  WeightView view_;
  std::span<const float> smoothing_;
};

}  // namespace presil
