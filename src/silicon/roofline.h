// What a measured row asks of a chip at the least, and the model that knows nothing else: the
// three-constant roofline that the laws are held against.
//
//   launch + max(operations / (share x peak), bytes / (share x bandwidth))
#pragma once

#include "base/number_format.h"
#include "kernels/constants.h"
#include "kernels/machine.h"
#include "silicon/rows.h"

namespace presil::silicon {

/// Microseconds at the chip's full rates.
struct Demand {
  double compute_us = 0;  // of the matrix engines' peak in the row's type; 0 where it has none
  double dram_us = 0;     // every operand once, nothing in a cache
  double link_us = 0;     // bytes that a rank must send, at the link's rate
};

Demand demand_of(const Row& row, const kernels::Machine& machine);

/// Three constants a number type; the law of one operator is fitted apart from the others'.
kernels::LawInfo roofline_law();

double roofline_us(const Demand& demand, kernels::Constants constants);

}  // namespace presil::silicon
