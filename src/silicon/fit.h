// Fitting the constants of a law to measured rows.
//
// Log ratios with a robust loss: |log(predicted / measured)|, so that a ten times slower kernel
// that the law does not know pulls no harder than ten rows that are a little off. Every constant
// stays within its physical bounds. Deterministic: same rows, same values, on any number of
// threads.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "kernels/constants.h"

namespace presil::silicon {

struct FitProblem {
  kernels::LawInfo law;
  std::vector<kernels::Situation> situations;  // distinct ones
  std::vector<std::size_t> situation_of;       // by row
  std::vector<double> measured_us;             // by row
  std::vector<double> weight;                  // by row; empty: all equal
  /// Microseconds of a row; called from several threads.
  std::function<double(std::size_t row, kernels::Constants)> predict;
};

struct FitOptions {
  int rounds = 30;
  kernels::ConstantTable start;  // where to begin; what it lacks begins at the list's guess
};

/// Writes the fitted values of the law into a copy of options.start.
kernels::ConstantTable fit(const FitProblem& problem, const FitOptions& options);

/// Mean of |predicted / measured - 1| with the table's constants, in percent.
double mape(const FitProblem& problem, const kernels::ConstantTable& table);

}  // namespace presil::silicon
