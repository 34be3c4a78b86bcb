// Measured attention, of prefill and of decode, as calls of its laws.
#pragma once

#include <span>
#include <string>
#include <variant>

#include "kernels/attention_law.h"
#include "silicon/rows.h"

namespace presil::silicon {

/// One measured call in a law's words. `group` is its only group of sequences.
struct JudgedAttention {
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
std::variant<JudgedAttention, std::string> judge_prefill(const Row& row,
                                                         const kernels::Machine& machine);
std::variant<JudgedAttention, std::string> judge_decode(const Row& row,
                                                        const kernels::Machine& machine);

}  // namespace presil::silicon
