// The bill of one chip: dies, stacks, package, test, what is lost in assembly, and the design.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "chip/library.h"
#include "cost/die.h"
#include "cost/prices.h"

namespace presil {

struct PriceOptions {
  YieldModel yield_model = YieldModel::negative_binomial;
  std::int64_t volume = 0;  // chips that pay for design and masks; 0 leaves both out
};

struct CostLine {
  std::string name;
  Band usd;
  std::string source;  // the formula with its numbers, and where they are from
};

struct ChipPrice {
  std::vector<CostLine> lines;  // they sum to usd_per_chip
  Band usd_per_chip;  // at cost: nobody's margin beyond the foundry's and the stack maker's
  std::int64_t dies_per_wafer = 0;
  double yield = 0;          // sellable dies over dies, at the typical defect density
  double package_yield = 0;  // of the assembly
  std::int64_t stacks = 0;   // in one chip
  double wafers = 0;         // started for `volume` chips, or for one when it is 0
};

/// Throws InputError when no die fits the wafer, the interposer is too large, or the memory's
/// family has no price.
ChipPrice price_chip(const ChipFiles& files, const Prices& prices,
                     const PriceOptions& options = {});

}  // namespace presil
