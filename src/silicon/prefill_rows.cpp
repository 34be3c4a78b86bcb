#include "silicon/prefill_rows.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace presil::silicon {
namespace {

using kernels::Machine;

/// One row of the fit, with all that does not change while constants do.
struct Prepared {
  JudgedPrefill judged;
  const Machine* machine;
  double dram_us;
};

/// What the tensor cores are given under a row's name of a type.
std::optional<Format> format_of(const std::string& name) {
  if (name == "bf16" || name == "fp16") return Format::bf16;
  if (name == "fp8" || name == "fp8_block") return Format::fp8_e4m3;
  if (name == "int8") return Format::int8;
  return std::nullopt;
}

}  // namespace

std::variant<JudgedPrefill, std::string> judge_prefill(const Row& row, const Machine& machine) {
  if (row.batch < 1 || row.seq < 1 || row.context < 0 || row.window < 0 || row.head_dim < 1) {
    return fmt::format("no attention of {} x {} tokens with heads of {}", row.batch, row.seq,
                       row.head_dim);
  }
  if (row.kv_heads < 1 || row.heads % row.kv_heads != 0) {
    return fmt::format("{} heads do not share {} KV heads evenly", row.heads, row.kv_heads);
  }
  const std::string& kept = row.kv_dtype.empty() ? row.dtype : row.kv_dtype;
  const std::optional<Format> multiply = format_of(row.dtype), cache = format_of(kept);
  if (!multiply || !cache) return fmt::format("type {} with a cache of {}", row.dtype, kept);
  JudgedPrefill j;
  j.group = {.batch = row.batch, .seq = row.seq, .context = row.context};
  j.shape = {.groups = {},
             .heads = row.heads,
             .kv_heads = row.kv_heads,
             .head_dim = row.head_dim,
             .window = row.window,
             .multiply = *multiply,
             .cache = *cache};
  j.situation = {.engine = row.backend,
                 .type = row.dtype == kept ? row.dtype : row.dtype + "/" + kept,
                 .generation = machine.generation,
                 .kernel = kernels::prefill_kernel(row.backend, machine.generation, j.call())};
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
