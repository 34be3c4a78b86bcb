// A node whose wafer price and defect density nobody publishes has no one answer. This is the line
// on which it costs what a known node does: below it, it wins.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cost/price.h"

namespace presil {

struct BreakEvenPoint {
  double defect_density = 0;  // 1/cm2, of the candidate
  // The wafer price at which a chip's bill equals the reference's, and at which owning the chip to
  // the end of its life does (its watts count: server, building, electricity). None: it loses at
  // any price.
  std::optional<double> wafer_usd;
  std::optional<double> wafer_usd_owned;
};

struct BreakEven {
  std::string node;     // the candidate's
  std::string against;  // the reference's
  std::vector<BreakEvenPoint> curve;
  // The line where the candidate's file has its typical values: at its wafer price it wins below
  // this defect density (none: at no density above 0), at its density below this wafer price.
  std::optional<double> defect_density;
  std::optional<double> wafer_usd;
};

/// Both at typical values; each has the design and the masks of its own `options`.
BreakEven break_even(const CostInputs& candidate, const CostInputs& reference,
                     const PriceOptions& options = {});

/// Whether both a node's wafer price and its defect density are somebody's published numbers.
bool is_published(const ProcessNode& node);

}  // namespace presil
