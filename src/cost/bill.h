// The bill of one chip at one point: every price at its typical value. price.h makes a band of
// three such points, spread/ a distribution of many.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cost/cost_inputs.h"
#include "cost/die.h"

namespace presil {

struct PriceOptions {
  YieldModel yield_model = YieldModel::negative_binomial;
  std::int64_t volume = 0;  // chips that pay for design and masks; 0 leaves both out
};

struct BillLine {
  std::string name;
  double usd = 0;      // a multiple of 2^-20 USD, so that lines add up exactly in any order
  std::string source;  // the formula with its numbers, and where they are from; "" unless explained
};

/// The lines of a chip in the order it is made: dies, towers of them (3D only), placed with the
/// stacks on an interposer or alone on the substrate, tested.
struct Bill {
  std::vector<BillLine> lines;
  double usd = 0;  // their sum
  std::int64_t dies_per_wafer = 0;
  double yield = 0;         // sellable dies over dies
  double tower_yield = 1;   // of bonding one tower; 1 without 3D
  double attach_yield = 0;  // of placing all parts
  double stack_yield = 1;   // of all stacks proving good
  std::int64_t stacks = 0;  // in one chip
  double wafers = 0;        // started for one chip, losses included
  double stacks_used = 0;   // for one chip, losses included
  double interposers = 0;   // the same; 0 without one

  double package_yield() const { return attach_yield * stack_yield; }
};

enum class Explained { no, yes };

/// The bill at the typical values of `inputs`. Throws InputError when no die fits the wafer or
/// works, the interposer is too large, or the memory's family has no price.
Bill bill_of(const CostInputs& inputs, const PriceOptions& options, Explained explained);

/// The die that is etched: a part of the chip file's die when the package stacks dies on each
/// other.
Die etched_die(const Die& die, const PackageKind& package);

/// `usd` on the grid of 2^-20 USD.
double on_grid(double usd);

}  // namespace presil
