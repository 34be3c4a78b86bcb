// Measured prefill attention as calls of its law.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <variant>

#include "kernels/attention_law.h"
#include "silicon/rows.h"

namespace presil::silicon {

/// One measured call in the law's words. `group` is its only group of sequences.
struct JudgedPrefill {
  kernels::Situation situation;
  kernels::AttentionGroup group;
  kernels::AttentionCall shape;  // without its groups

  /// The call; points into this object.
  kernels::AttentionCall call() const {
    kernels::AttentionCall whole = shape;
    whole.groups = std::span(&group, 1);
    return whole;
  }
};

/// The row as a call, or why it cannot be predicted.
std::variant<JudgedPrefill, std::string> judge_prefill(const Row& row,
                                                       const kernels::Machine& machine);

}  // namespace presil::silicon
