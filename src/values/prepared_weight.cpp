#include "values/prepared_weight.h"

namespace presil {

PreparedWeight::PreparedWeight(const WeightView& view, const ProductNumerics&,
                               std::span<const float> smoothing)
    : view_(view), smoothing_(smoothing) {}

}  // namespace presil
