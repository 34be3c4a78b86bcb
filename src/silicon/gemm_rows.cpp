#include "silicon/gemm_rows.h"

#include <cmath>
#include <map>
#include <memory>
#include <utility>

#include <fmt/format.h>

namespace presil::silicon {
namespace {

using kernels::GemmKernel;
using kernels::Machine;
using kernels::Residency;

constexpr double kShortUs = 20;  // below it launches decide; shown apart
constexpr double kShortWeight = 0.25;

/// Only this source's loop cycles through copies of one weight; the others run whole layers.
Residency residency_of(const Row& row) {
  return row.source == "ai-dynamo/aiconfigurator" ? Residency::cycling : Residency::streaming;
}

/// A row is timed by its host when it names the call that Python makes, not a kernel.
bool timed_by_host(const Row& row) {
  return row.kernel == "torch_matmul";
}

/// One row, ready to be predicted with any constants.
struct Prepared {
  kernels::GemmCall call;
  std::size_t machine;
  double dram_us;
};

}  // namespace

std::variant<JudgedGemm, std::string> judge_gemm(const Row& row, const Machine& machine) {
  const auto types = kernels::gemm_types(row.dtype);
  if (!types) return fmt::format("type {} is unknown", row.dtype);
  if (row.m < 1 || row.n < 1 || row.k < 1) return std::string("a size is missing");
  if (machine.macs_per_cycle.empty()) return std::string("the chip has no matrix engine");

  const GemmKernel kernel = timed_by_host(row)
                                ? GemmKernel::eager
                                : kernels::gemm_kernel(row.backend, row.dtype, row.m, row.n, row.k);
  return JudgedGemm{{row.backend, row.dtype, machine.generation, std::string(to_string(kernel))},
                    {row.m, row.n, row.k, *types, kernel},
                    residency_of(row)};
}

FitProblem gemm_problem(
    std::span<const Row> rows,
    const std::function<const Machine&(const std::string& chip)>& machine_of,
    const std::function<double(const Machine&, const kernels::Traffic&)>& dram_us) {
  struct State {
    std::vector<Machine> machines;
    std::vector<Prepared> rows;
  };
  const auto state = std::make_shared<State>();
  FitProblem problem;
  problem.law = kernels::gemm_law();

  std::map<std::string, std::size_t> machine_at;
  std::map<kernels::Situation, std::size_t> situation_at;
  std::map<std::string, double> rows_in;  // by chip, engine and type
  std::vector<double*> group_of;
  for (const Row& row : rows) {
    const auto [m, fresh] = machine_at.try_emplace(row.chip, state->machines.size());
    if (fresh) state->machines.push_back(machine_of(row.chip));
    const Machine& machine = state->machines[m->second];
    const auto judged = judge_gemm(row, machine);
    const auto* call = std::get_if<JudgedGemm>(&judged);
    if (!call) continue;
    const auto [s, first] = situation_at.try_emplace(call->situation, problem.situations.size());
    if (first) problem.situations.push_back(call->situation);
    problem.situation_of.push_back(s->second);
    problem.measured_us.push_back(row.latency_us);
    const kernels::Traffic traffic = gemm_traffic(call->call, machine, call->residency);
    state->rows.push_back({call->call, m->second, dram_us(machine, traffic)});
    double& count = rows_in[row.chip + " " + row.backend + " " + row.dtype];
    ++count;
    group_of.push_back(&count);
  }
  for (std::size_t r = 0; r < group_of.size(); ++r) {
    problem.weight.push_back((problem.measured_us[r] < kShortUs ? kShortWeight : 1) * 1e4 /
                             *group_of[r]);
  }
  problem.predict = [state](std::size_t row, kernels::Constants constants) {
    const Prepared& p = state->rows[row];
    return total_us(gemm_terms(p.call, state->machines[p.machine], constants, p.dram_us),
                    p.dram_us);
  };
  return problem;
}

}  // namespace presil::silicon
