// Measured collectives as calls of their law.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <variant>

#include "kernels/collective_law.h"
#include "silicon/fit.h"
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

/// What the rows of one file need to be fitted.
struct CollectiveChips {
  std::function<const kernels::Machine&(const std::string& chip)> machine;
  std::function<const Chip&(const std::string& chip)> chip;
  std::function<ScaleOut(const std::string& name)> network;
};

/// The rows that can be predicted, and not those of hosts; `kept`, when given, gets their indices.
FitProblem collective_problem(std::span<const Row> rows, const CollectiveChips& chips,
                              std::vector<std::size_t>* kept = nullptr);

}  // namespace presil::silicon
