// Predictions of measured rows by constants that may or may not have seen them.
#pragma once

#include <string>
#include <vector>

#include "kernels/constants.h"
#include "kernels/uncertainty.h"
#include "silicon/cases.h"

namespace presil::silicon {

struct FitLimits {
  std::size_t rows = 20'000;  // of one operator that are fitted on, chosen by their hashes
  int rounds = 12;
};

/// Beside each case of Cases::all(): what the laws and the three-constant roofline say. A case that
/// was not to be predicted has NaN.
struct Predictions {
  std::vector<double> us, roofline_us;
  std::vector<kernels::Regime> regime;  // what the predicted time is
  std::vector<std::string> fitted_on;   // "gemm: A100-SXM-80GB, 38498 rows"
};

/// The constants of all laws, fitted on these cases (any operators mixed) from `start`, which keeps
/// what the cases do not tell.
kernels::ConstantTable fit_laws(const std::vector<const Case*>& cases, const FitLimits& limits,
                                const kernels::ConstantTable& start = {});

/// Writes the values of `more` over those of `table`, and where they were fitted.
void overlay(kernels::ConstantTable& table, const kernels::ConstantTable& more);

/// With given constants; the roofline is fitted on the same cases.
Predictions predict_with(const Cases& cases, const kernels::ConstantTable& table,
                         const FitLimits& limits);

/// Each case by constants that were fitted on other families of shapes: the families are dealt
/// out over `folds`.
Predictions predict_folds(const Cases& cases, int folds, const FitLimits& limits);

/// The cases of the chip that the data call `chip`, by constants fitted on all other chips. Throws
/// InputError when no row is of that chip, or all are.
Predictions predict_left_out(const Cases& cases, const std::string& chip, const FitLimits& limits);

}  // namespace presil::silicon
