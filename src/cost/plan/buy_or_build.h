// Buy or build: the same tokens from bought chips at the market's price, or from a chip of one's
// own, whose design and masks are paid once. Somewhere between no chip and many the two may cross.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "chip/library.h"
#include "cost/tokens.h"

namespace presil {

/// One side of the comparison, as the file says it.
struct SideSpec {
  std::string chip;
  std::string service;      // "": the rate below; else a service of the scenario that measures it
  double tokens_per_s = 0;  // of one chip, while it works; 0: to be measured
  Watts power;              // mean, of one chip while it works; 0: to be measured
};

struct BuyOrBuildSpec {
  SideSpec own, bought;
  std::int64_t from = 1000, to = 1'000'000;  // own chips over which the design is spread
  std::int64_t points = 25;                  // evenly spaced in the logarithm
};

BuyOrBuildSpec read_buy_or_build(Fields& fields);

/// A chip and what it serves.
struct Server {
  ChipFiles files;
  TokenRate rate;
};

struct BuyOrBuildPoint {
  double volume = 0;  // own chips
  Band own, bought;   // USD for all that one own chip writes in its life
};

struct BuyOrBuildResult {
  std::vector<BuyOrBuildPoint> points;
  // Own chips beyond which building is cheaper: with what is built cheap and what is bought dear
  // (low), as expected, and the other way round (high). None where they never cross.
  std::optional<double> crossing_low, crossing, crossing_high;
  double mtokens_per_chip = 0;  // of an own chip, in its life
  double bought_per_own = 0;    // bought chips that write what one own chip does
  Band once;                    // USD: design and masks
  Band own_each, bought_each;   // USD a chip
};

/// Everything around the chips (ownership) has its typical price on both sides. Throws InputError
/// when `bought` has no market price or a rate is 0.
BuyOrBuildResult buy_or_build(const BuyOrBuildSpec& spec, const Server& own, const Server& bought,
                              const Prices& prices);

}  // namespace presil
