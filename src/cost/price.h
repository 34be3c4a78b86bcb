// The bill of one chip as a band: dies, stacks, package, test, what is lost in assembly, and the
// design. Low has every price at its cheap end at once and high at its dear end, as if they moved
// together; spread/monte_carlo.h lets each move by itself.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "chip/library.h"
#include "cost/bill.h"

namespace presil {

struct CostLine {
  std::string name;
  Band usd;
  std::string source;  // the formula with its numbers, and where they are from
};

struct ChipPrice {
  std::vector<CostLine> lines;  // they sum to usd_per_chip, exactly (BillLine)
  Band usd_per_chip;  // at cost: nobody's margin beyond the foundry's and the stack maker's
  std::int64_t dies_per_wafer = 0;
  double yield = 0;          // sellable dies over dies, at the typical defect density
  double package_yield = 0;  // of the assembly
  std::int64_t stacks = 0;   // in one chip
  // Started or bought for `volume` chips, or for one when it is 0; what is lost included.
  double wafers = 0;
  double stacks_used = 0;
  double interposers = 0;
};

/// Throws InputError when no die fits the wafer, the interposer is too large, or the memory's
/// family has no price.
ChipPrice price_chip(const ChipFiles& files, const Prices& prices,
                     const PriceOptions& options = {});
ChipPrice price_chip(const CostInputs& inputs, const PriceOptions& options = {});

}  // namespace presil
