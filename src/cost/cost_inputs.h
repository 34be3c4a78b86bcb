// What a chip's price follows from, in one value whose numbers can be turned: to their cheap end,
// their dear end, one at a time (spread/tornado.h), or all at random (spread/monte_carlo.h).
#pragma once

#include <string>
#include <vector>

#include "chip/library.h"
#include "cost/prices.h"

namespace presil {

struct CostInputs {
  Chip chip;
  MemoryPart memory;
  ProcessNode node;
  PackageKind package;
  Prices prices;
};

CostInputs cost_inputs(const ChipFiles& files, const Prices& prices);

/// One number of the inputs and where it stands in them. Bills read `band->typical`.
struct Knob {
  std::string name;              // "node.wafer_price"
  Band* band = nullptr;          // in the inputs that the knob was made for
  bool cheap_when_high = false;  // a yield
  std::string source;
};

/// The ends of a bill: all that it is made of cheap, as expected, or dear.
enum class End { low, typical, high };

/// The value of a knob at an end.
double value_at(const Knob& knob, End end);

/// Sets the typical value of every knob to `end`.
void turn(const std::vector<Knob>& knobs, End end);

/// The price of the chip's DRAM is one by the gigabyte. Otherwise it is a stack to be built from
/// its parts. Throws InputError when the price list has neither for the part.
bool has_quote(const CostInputs& inputs);

/// Dies in one stack of the part: four a stack ID (ramulator2's convention).
std::int64_t stack_height(const MemoryPart& part);

/// Every band that the chip's bill reads, in the order of its lines; design and masks last.
std::vector<Knob> bill_knobs(CostInputs& inputs);

/// Every band that owning a chip reads.
std::vector<Knob> ownership_knobs(Ownership& ownership, const Sources& sources);

}  // namespace presil
