// What an HBM stack costs: DRAM dies from a wafer, placed one on the other over a base die, and
// tested. Each placing that fails loses the stack so far, so height is dear twice.
#pragma once

#include <cstdint>

#include "cost/prices.h"

namespace presil {

struct StackCost {
  double dies = 0;   // USD: good DRAM dies
  double bonds = 0;  // USD: placing them
  double base = 0;   // USD
  double yield = 1;  // of all placings together: bond_yield ^ height
  double test = 0;   // USD
  double cost = 0;   // USD to the maker: (dies + bonds + base) / yield + test
  double price = 0;  // USD to the buyer: cost / (1 - margin)
};

/// A stack of `height` dies, at the typical numbers of `parts`. Dies a wafer are counted on 300 mm
/// less 3 mm of edge.
StackCost stack_cost(const StackParts& parts, std::int64_t height);

}  // namespace presil
