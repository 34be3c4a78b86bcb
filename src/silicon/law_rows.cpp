#include "silicon/law_rows.h"

#include "cycles/timeline.h"
#include "kernels/attention_law.h"
#include "kernels/collective_law.h"
#include "kernels/gemm_law.h"
#include "silicon/attention_rows.h"
#include "silicon/collective_rows.h"
#include "silicon/gemm_rows.h"
#include "silicon/row_program.h"

namespace presil::silicon {
namespace {

using kernels::Constants;
using kernels::Machine;
// Attention was measured in loops: what fits the last-level cache is still there.
constexpr auto kMeasured = kernels::Residency::cycling;

LawRow gemm_row(JudgedGemm j, const Machine& m) {
  return {
      j.situation, gemm_traffic(j.call, m, j.residency),
      [call = j.call, &m](Constants c, double dram_us) { return gemm_terms(call, m, c, dram_us); }};
}

LawRow prefill_row(JudgedAttention j, const Machine& m) {
  LawRow row{j.situation, prefill_traffic(j.call(), m, kMeasured), {}};
  row.terms = [j = std::move(j), &m](Constants c, double dram_us) {
    return prefill_terms(j.call(), m, j.situation, c, dram_us);
  };
  return row;
}

LawRow decode_row(JudgedAttention j, const Machine& m) {
  LawRow row{j.situation, decode_traffic(j.call(), m, kMeasured, j.situation.kernel), {}};
  row.terms = [j = std::move(j), &m](Constants c, double dram_us) {
    return decode_terms(j.call(), m, j.situation, c, dram_us);
  };
  return row;
}

LawRow collective_row(JudgedCollective j, const Machine& m) {
  LawRow row{j.situation, {}, {}};
  row.terms = [j = std::move(j), &m](Constants c, double) {
    return collective_terms(j.call, m, j.situation, c);
  };
  return row;
}

template <class Judged>
std::variant<LawRow, std::string> or_reason(std::variant<Judged, std::string> judged,
                                            const Machine& machine,
                                            LawRow (*row)(Judged, const Machine&)) {
  if (auto* reason = std::get_if<std::string>(&judged)) return std::move(*reason);
  return row(std::get<Judged>(std::move(judged)), machine);
}

}  // namespace

kernels::LawInfo law_of(MeasuredOp op) {
  switch (op) {
    case MeasuredOp::gemm:
      return kernels::gemm_law();
    case MeasuredOp::attention_prefill:
      return kernels::prefill_law();
    case MeasuredOp::attention_decode:
      return kernels::decode_law();
    case MeasuredOp::collective:
      return kernels::collective_law();
  }
  return {};
}

std::variant<LawRow, std::string> law_row(const Row& row, const MeasuredChip& chip,
                                          const NetworkByName& networks) {
  const Machine& m = chip.machine;
  switch (row.op) {
    case MeasuredOp::gemm:
      return or_reason(judge_gemm(row, m), m, gemm_row);
    case MeasuredOp::attention_prefill:
      return or_reason(judge_prefill(row, m), m, prefill_row);
    case MeasuredOp::attention_decode:
      return or_reason(judge_decode(row, m), m, decode_row);
    case MeasuredOp::collective:
      return or_reason(judge_collective(row, m, chip.files.chip, networks), m, collective_row);
  }
  return "no law";
}

std::variant<RowTime, std::string> tiles_time(const Row& row, const MeasuredChip& chip) {
  const auto made = program_of(row, chip.files);
  if (const auto* reason = std::get_if<std::string>(&made)) return *reason;
  const RowProgram& one = std::get<RowProgram>(made);
  const Feasible<BoundProgram> bound = bind(one.program, one.step);
  if (!bound) return bound.error().reason;
  try {
    const Timeline timeline = time_step(*bound, chip.files.chip, chip.files.memory);
    return RowTime{static_cast<double>(timeline.total.count()) / 1e6, regime_of(timeline.bound_by)};
  } catch (const LimitReached& e) {
    return std::string(e.what());
  }
}

}  // namespace presil::silicon
