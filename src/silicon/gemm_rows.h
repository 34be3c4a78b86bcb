// Measured products as the law's calls: which kernel ran, and what its loop left in the caches.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <variant>

#include "kernels/gemm_law.h"
#include "silicon/rows.h"

namespace presil::silicon {

struct JudgedGemm {
  kernels::Situation situation;
  kernels::GemmCall call;
  kernels::Residency residency = kernels::Residency::cycling;
};

/// The call that a row measured, or why it cannot be predicted.
std::variant<JudgedGemm, std::string> judge_gemm(const Row& row, const kernels::Machine& machine);

}  // namespace presil::silicon
