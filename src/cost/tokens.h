// Dollars for a million tokens: the bill of a chip's year in service (ownership.h) over the tokens
// that it writes in that year.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cost/price.h"
#include "cost/prices.h"

namespace presil {

/// A group of chips at work.
struct TokenRate {
  double tokens_per_s = 0;  // of the group, while it works
  std::int64_t chips = 1;
  Watts power;  // mean, of one chip while it works
};

struct TokenPrice {
  std::vector<CostLine> lines;  // USD for a million tokens; they sum to usd_per_mtoken
  Band usd_per_mtoken;
  bool at_market_price = false;  // the chip is bought, not made
};

/// Capital is written off evenly over ownership.lifetime; the chip works for ownership.utilisation
/// of the time that it is not away for repair, and idles at power.idle for the rest. A chip with a
/// market price is bought at it, one without is owned at the cost of `price`. Requires
/// tokens_per_s > 0.
TokenPrice usd_per_mtoken(const TokenRate& rate, const Chip& chip, const ChipPrice& price,
                          const Prices& prices);

/// The same at one point: a chip of `chip_usd`, and the typical values of prices.ownership.
double usd_per_mtoken_at(const TokenRate& rate, const Chip& chip, double chip_usd,
                         const Prices& prices);

}  // namespace presil
