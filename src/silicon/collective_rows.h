// Measured collectives as calls of their law.
#pragma once

#include <functional>
#include <string>
#include <variant>

#include "kernels/collective_law.h"
#include "silicon/rows.h"

namespace presil::silicon {

struct JudgedCollective {
  kernels::Situation situation;
  kernels::CollectiveCall call;
};

/// The chip and what joins it, in the cluster that a row was measured on: `chip` with the links and
/// the network that the row's kernel names (`per_node_N`, `pairwise_nvlink`), the latter from
/// `networks`. A string says why the row cannot be predicted.
std::variant<JudgedCollective, std::string> judge_collective(
    const Row& row, const kernels::Machine& machine, const Chip& chip,
    const std::function<ScaleOut(const std::string& name)>& networks);

}  // namespace presil::silicon
