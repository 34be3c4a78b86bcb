// From errors of predictions that had not seen their rows, to low and high beside a prediction.
#pragma once

#include "kernels/uncertainty.h"
#include "silicon/predict.h"

namespace presil::silicon {

/// `folds`: of shapes held back; `left_out`: of whole chips held back. Of rows shorter than
/// `min_latency_us`, those of hosts, and types with few rows none are counted.
kernels::Uncertainty bands_of(const Cases& cases, const Predictions& folds,
                              const Predictions& left_out, double min_latency_us);

}  // namespace presil::silicon
