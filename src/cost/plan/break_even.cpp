#include "cost/plan/break_even.h"

#include <cmath>

#include "cost/ownership.h"

namespace presil {
namespace {

constexpr double kLeastDefects = 0.05, kMostDefects = 1;  // 1/cm2, of the curve
constexpr int kPoints = 20;
constexpr double kSearchDefects = 10;  // 1/cm2: no large die works beyond

/// Owning one chip from its purchase to the end of its life.
double owned(const Chip& chip, double usd, const Prices& prices) {
  const Ownership& own = prices.ownership;
  const double works = own.utilisation.typical;
  const Watts mean = chip.power.limit * works + chip.power.idle * (1 - works);
  double year = 0;
  for (const YearLine& line : year_lines({usd, chip.power.limit, mean}, own, prices.sources)) {
    year += line.usd;
  }
  return year * (own.lifetime / kYear);
}

/// The bill of `in` with another wafer price and defect density.
double bill(CostInputs& in, const PriceOptions& options, double wafer_usd, double defects) {
  in.node.wafer_price.typical = wafer_usd;
  in.node.defect_density.typical = defects;
  return bill_of(in, options, Explained::no).usd;
}

/// The argument at which a line through (0, at_0) and (1, at_1) reaches `value`, when above 0.
std::optional<double> solve(double at_0, double at_1, double value) {
  const double x = (value - at_0) / (at_1 - at_0);
  return x > 0 ? std::optional<double>(x) : std::nullopt;
}

}  // namespace

bool is_published(const ProcessNode& node) {
  for (const char* field : {"wafer_price", "defect_density"}) {
    const Provenance* source = source_of(node.sources, field);
    if (source == nullptr || source->confidence == Confidence::estimate) return false;
  }
  return true;
}

BreakEven break_even(const CostInputs& candidate, const CostInputs& reference,
                     const PriceOptions& options) {
  BreakEven result{candidate.node.name, reference.node.name, {}, {}, {}};
  const double target = bill_of(reference, options, Explained::no).usd;
  const double target_owned = owned(reference.chip, target, reference.prices);
  CostInputs in = candidate;

  // A bill is a straight line over the wafer price: its die, and what is lost with it.
  constexpr double kWafer = 10000;
  const auto wafer_at = [&](double defects, bool with_watts) {
    const auto total = [&](double usd) {
      return with_watts ? owned(in.chip, usd, in.prices) : usd;
    };
    const auto x =
        solve(total(bill(in, options, 0, defects)), total(bill(in, options, kWafer, defects)),
              with_watts ? target_owned : target);
    return x ? std::optional<double>(*x * kWafer) : std::nullopt;
  };
  for (int i = 0; i < kPoints; ++i) {
    const double defects =
        kLeastDefects + (kMostDefects - kLeastDefects) * i / static_cast<double>(kPoints - 1);
    result.curve.push_back({defects, wafer_at(defects, false), wafer_at(defects, true)});
  }
  result.wafer_usd = wafer_at(candidate.node.defect_density.typical, false);

  const double wafer = candidate.node.wafer_price.typical;
  const auto wins_at = [&](double defects) { return bill(in, options, wafer, defects) < target; };
  double low = 0, high = kSearchDefects;
  if (!wins_at(low)) return result;
  while (high - low > 1e-9) {
    const double middle = (low + high) / 2;
    (wins_at(middle) ? low : high) = middle;
  }
  result.defect_density = low;
  return result;
}

}  // namespace presil
