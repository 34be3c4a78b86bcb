#include "silicon/prefill_rows.h"

#include <algorithm>
#include <memory>

#include <fmt/format.h>

namespace presil::silicon {
namespace {

using kernels::AttentionCall;
using kernels::Machine;

/// One row of the fit, with all that does not change while constants do.
struct Prepared {
  JudgedPrefill judged;
  const Machine* machine;
  double dram_us;
};

}  // namespace

std::variant<JudgedPrefill, std::string> judge_prefill(const Row& row, const Machine& machine) {
  const auto format = [](const std::string& name) {
    return name.starts_with("fp8") ? Format::fp8_e4m3
           : name == "int8"        ? Format::int8
                                   : Format::bf16;
  };
  JudgedPrefill j;
  j.group = {.batch = row.batch, .seq = row.seq, .context = row.context};
  j.shape.heads = row.heads;
  j.shape.kv_heads = row.kv_heads;
  j.shape.head_dim = row.head_dim;
  j.shape.window = row.window;
  j.shape.multiply = format(row.dtype);
  j.shape.cache = format(row.kv_dtype);
  j.situation.engine = row.backend;
  j.situation.type = row.dtype == row.kv_dtype ? row.dtype : row.dtype + "/" + row.kv_dtype;
  j.situation.generation = machine.generation;
  j.situation.kernel = kernels::prefill_kernel(row.backend, machine.generation, j.call());
  return j;
}

FitProblem prefill_problem(
    std::span<const Row> rows,
    const std::function<const Machine&(const std::string& chip)>& machine_of,
    const std::function<double(const Machine&, const kernels::Traffic&)>& dram_us) {
  FitProblem problem;
  problem.law = kernels::prefill_law();
  auto prepared = std::make_shared<std::vector<Prepared>>();
  for (const Row& row : rows) {
    const Machine& machine = machine_of(row.chip);
    auto judged = judge_prefill(row, machine);
    if (!std::holds_alternative<JudgedPrefill>(judged)) continue;
    Prepared p{std::get<JudgedPrefill>(std::move(judged)), &machine, 0};
    p.dram_us = dram_us(
        machine, kernels::prefill_traffic(p.judged.call(), machine, kernels::Residency::cycling));
    const auto known =
        std::find(problem.situations.begin(), problem.situations.end(), p.judged.situation);
    problem.situation_of.push_back(static_cast<std::size_t>(known - problem.situations.begin()));
    if (known == problem.situations.end()) problem.situations.push_back(p.judged.situation);
    problem.measured_us.push_back(row.latency_us);
    prepared->push_back(std::move(p));
  }
  problem.predict = [prepared](std::size_t row, kernels::Constants constants) {
    const Prepared& p = (*prepared)[row];
    return kernels::total_us(kernels::prefill_terms(p.judged.call(), *p.machine, p.judged.situation,
                                                    constants, p.dram_us),
                             p.dram_us);
  };
  return problem;
}

}  // namespace presil::silicon
