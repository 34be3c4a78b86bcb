// Measured products as the law's calls: which kernel ran, and what its loop left in the caches.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <variant>

#include "kernels/gemm_law.h"
#include "silicon/fit.h"
#include "silicon/rows.h"

namespace presil::silicon {

struct JudgedGemm {
  kernels::Situation situation;
  kernels::GemmCall call;
  kernels::Residency residency = kernels::Residency::cycling;
};

/// The call that a row measured, or why it cannot be predicted.
std::variant<JudgedGemm, std::string> judge_gemm(const Row& row, const kernels::Machine& machine);

/// The rows that can be judged, as a problem for fit(). `rows`, the machines and `dram_us` are only
/// used while this runs. Every (chip, engine, type) weighs the same, rows under 20 us a quarter.
FitProblem gemm_problem(
    std::span<const Row> rows,
    const std::function<const kernels::Machine&(const std::string& chip)>& machine_of,
    const std::function<double(const kernels::Machine&, const kernels::Traffic&)>& dram_us);

}  // namespace presil::silicon
