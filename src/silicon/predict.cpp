#include "silicon/predict.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include <fmt/format.h>

#include "base/error.h"
#include "base/parallel.h"
#include "base/progress.h"

namespace presil::silicon {
namespace {

using Chosen = std::vector<const Case*>;

constexpr std::size_t kChunk = 512;
constexpr std::array<MeasuredOp, 4> kOps = {MeasuredOp::gemm, MeasuredOp::attention_prefill,
                                            MeasuredOp::attention_decode, MeasuredOp::collective};

/// What is fitted apart: the laws by operator, and the roofline once for each.
struct Fits {
  kernels::ConstantTable laws;
  std::map<MeasuredOp, kernels::ConstantTable> rooflines;
};

/// Of those that a law predicts.
Chosen with_law(const Chosen& cases) {
  Chosen result;
  std::copy_if(cases.begin(), cases.end(), std::back_inserter(result),
               [](const Case* c) { return !c->tiles; });
  return result;
}

/// Without the times of hosts, which no roofline means.
Chosen of_chips(const Chosen& cases) {
  Chosen result;
  std::copy_if(cases.begin(), cases.end(), std::back_inserter(result),
               [](const Case* c) { return !is_host_time(*c->row); });
  return result;
}

Chosen of_op(const Chosen& cases, MeasuredOp op) {
  Chosen result;
  std::copy_if(cases.begin(), cases.end(), std::back_inserter(result),
               [&](const Case* c) { return c->row->op == op; });
  return result;
}

/// At most `most`, those with the smallest hashes, in their order.
Chosen thinned(const Chosen& cases, std::size_t most) {
  if (cases.size() <= most) return cases;
  std::vector<std::uint64_t> hashes;
  for (const Case* c : cases) hashes.push_back(c->hash);
  std::nth_element(hashes.begin(), hashes.begin() + static_cast<std::ptrdiff_t>(most),
                   hashes.end());
  const std::uint64_t limit = hashes[most];
  Chosen result;
  std::copy_if(cases.begin(), cases.end(), std::back_inserter(result),
               [&](const Case* c) { return c->hash < limit; });
  return result;
}

std::vector<std::string> origin_of(const Chosen& cases) {
  std::map<std::pair<MeasuredOp, std::string>, std::size_t> rows;
  for (const Case* c : cases) ++rows[{c->row->op, c->row->chip}];
  std::vector<std::string> result;
  for (const auto& [key, count] : rows) {
    result.push_back(fmt::format("{}: {}, {} rows", to_string(key.first), key.second, count));
  }
  return result;
}

std::map<MeasuredOp, kernels::ConstantTable> fit_rooflines(const Chosen& cases,
                                                           const FitLimits& limits) {
  std::map<MeasuredOp, kernels::ConstantTable> result;
  for (const MeasuredOp op : kOps) {
    const Chosen rows = thinned(of_chips(of_op(cases, op)), limits.rows);
    if (!rows.empty()) result[op] = fit(roofline_problem(rows), {limits.rounds, {}});
  }
  return result;
}

Fits fit_all(const Chosen& cases, const FitLimits& limits) {
  return {fit_laws(cases, limits), fit_rooflines(cases, limits)};
}

/// Calls `take(i, constants)` for each row i of the problem, with its constants from `table`.
template <class Take>
void for_rows(const FitProblem& problem, const kernels::ConstantTable& table, Take take) {
  std::vector<std::vector<double>> values;
  for (const kernels::Situation& s : problem.situations) {
    values.push_back(table.values(problem.law, s));
  }
  const std::size_t rows = problem.situation_of.size();
  parallel_each((rows + kChunk - 1) / kChunk, [&](std::size_t chunk) {
    const std::size_t end = std::min(rows, (chunk + 1) * kChunk);
    for (std::size_t i = chunk * kChunk; i < end; ++i) take(i, values[problem.situation_of[i]]);
  });
}

/// Predicts the cases that `wanted` names, an operator at a time.
template <class Wanted>
void predict(const std::vector<Case>& cases, const Fits& fits, Wanted wanted, Predictions& into) {
  for (const MeasuredOp op : kOps) {
    Chosen rows;
    std::vector<std::size_t> where;
    for (std::size_t i = 0; i < cases.size(); ++i) {
      if (cases[i].row->op != op || !wanted(cases[i])) continue;
      rows.push_back(&cases[i]);
      where.push_back(i);
    }
    if (rows.empty()) continue;
    for_rows(law_problem(rows), fits.laws, [&](std::size_t i, kernels::Constants constants) {
      const RowTime time = time_of(*rows[i], constants);
      into.us[where[i]] = time.us;
      into.regime[where[i]] = time.regime;
    });
    const auto roofline = fits.rooflines.find(op);
    if (roofline != fits.rooflines.end()) {
      for_rows(roofline_problem(rows), roofline->second,
               [&](std::size_t i, kernels::Constants constants) {
                 into.roofline_us[where[i]] = roofline_us(rows[i]->demand, constants);
               });
    }
  }
}

Predictions none_of(const std::vector<Case>& cases) {
  const std::vector<double> none(cases.size(), std::numeric_limits<double>::quiet_NaN());
  return {none, none, std::vector<kernels::Regime>(cases.size()), {}};
}

template <class Wanted>
Chosen chosen(const std::vector<Case>& cases, Wanted wanted) {
  Chosen result;
  for (const Case& c : cases) {
    if (wanted(c)) result.push_back(&c);
  }
  return result;
}

bool anything(const Case&) {
  return true;
}

}  // namespace

kernels::ConstantTable fit_laws(const std::vector<const Case*>& cases, const FitLimits& limits,
                                const kernels::ConstantTable& start) {
  kernels::ConstantTable table = start;
  table.fitted_on.clear();
  for (const MeasuredOp op : kOps) {
    const Chosen rows = thinned(with_law(of_op(cases, op)), limits.rows);
    if (rows.empty()) continue;
    table = fit(law_problem(rows), {limits.rounds, table});
    for (std::string& line : origin_of(rows)) table.fitted_on.push_back(std::move(line));
  }
  return table;
}

Predictions predict_with(const Cases& cases, const kernels::ConstantTable& table,
                         const FitLimits& limits) {
  Predictions result = none_of(cases.all());
  const Chosen all = chosen(cases.all(), anything);
  predict(cases.all(), {table, fit_rooflines(all, limits)}, anything, result);
  result.fitted_on = table.fitted_on;
  return result;
}

Predictions predict_folds(const Cases& cases, int folds, const FitLimits& limits) {
  Predictions result = none_of(cases.all());
  const auto fold_of = [&](const Case& c) {
    return static_cast<int>(family_of(*c.row) % static_cast<std::uint64_t>(folds));
  };
  Progress progress("fitting folds", folds);
  for (int fold = 0; fold < folds; ++fold) {
    const Fits fits =
        fit_all(chosen(cases.all(), [&](const Case& c) { return fold_of(c) != fold; }), limits);
    predict(
        cases.all(), fits, [&](const Case& c) { return fold_of(c) == fold; }, result);
    progress.advance();
  }
  result.fitted_on.push_back(fmt::format("of {} folds those that a row is not in:", folds));
  for (std::string& line : origin_of(with_law(chosen(cases.all(), anything)))) {
    result.fitted_on.push_back(std::move(line));
  }
  return result;
}

Predictions predict_left_out(const Cases& cases, const std::string& chip, const FitLimits& limits) {
  const auto is_left_out = [&](const Case& c) { return c.row->chip == chip; };
  const Chosen others = chosen(cases.all(), [&](const Case& c) { return !is_left_out(c); });
  if (others.size() == cases.all().size()) {
    std::set<std::string> names;
    for (const Case& c : cases.all()) names.insert(c.row->chip);
    throw InputError(fmt::format("--leave-out-chip: no row is of '{}'; the data have {}", chip,
                                 fmt::join(names, ", ")));
  }
  if (others.empty()) {
    throw InputError(
        fmt::format("--leave-out-chip: every row is of {}; nothing is left to fit on", chip));
  }
  Predictions result = none_of(cases.all());
  const Fits fits = fit_all(others, limits);
  predict(cases.all(), fits, is_left_out, result);
  result.fitted_on = fits.laws.fitted_on;
  return result;
}

}  // namespace presil::silicon
