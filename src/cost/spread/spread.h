// How far a price may be off, and because of what: every uncertain number moved at random
// (Monte Carlo), or one after the other (tornado).
//
// The numbers move independently here. The low and high of a bill (price.h) are the other extreme,
// all numbers cheap or dear together. Prices of one market do move together (wafers and masks of
// one foundry, DRAM and its stacks), so the truth lies between the two.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cost/cost_inputs.h"
#include "cost/price.h"
#include "cost/tokens.h"

namespace presil {

/// What is priced: a chip or, with a rate, the tokens that it writes. A chip with a market price is
/// bought when it is tokens that are priced, and made when it is chips.
struct CostScene {
  CostInputs inputs;
  PriceOptions options{};
  std::optional<TokenRate> rate{};
};

/// Every uncertain number that the scene's price depends on.
std::vector<Knob> knobs_of(CostScene& scene);

/// USD for a chip, or for a million tokens, at the scene's typical values.
double usd_of(const CostScene& scene);

struct MonteCarlo {
  std::int64_t samples = 0;
  double mean = 0;
  double p10 = 0, p50 = 0, p90 = 0;  // linear between the two nearest samples
};

/// Draws every knob from a triangular distribution over its band; `samples` of at least 1. The same
/// result on any number of threads.
MonteCarlo monte_carlo(const CostScene& scene, std::int64_t samples, std::uint64_t seed);

/// The price with one number at its low and at its high value, all others at their typical ones.
struct Swing {
  std::string name;
  double low = 0, high = 0;          // of the number
  double usd_low = 0, usd_high = 0;  // with it; falling where more of it is cheaper
  std::string source;
};

/// The widest first; without those that move nothing.
std::vector<Swing> tornado(const CostScene& scene);

}  // namespace presil
