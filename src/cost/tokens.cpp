#include "cost/tokens.h"

#include <fmt/format.h>

#include "cost/ownership.h"

namespace presil {
namespace {

/// The lines of a year, for a million tokens.
std::vector<YearLine> mtoken_lines(const TokenRate& rate, const Chip& chip, double chip_usd,
                                   const Ownership& own, const Sources& sources) {
  CHECK(rate.tokens_per_s > 0, "a price per token needs tokens");
  const double works = own.utilisation.typical;
  const Watts mean(rate.power.count() * works + chip.power.idle.count() * (1 - works));
  const double mtokens =
      rate.tokens_per_s * works * availability(own) * kYear.count() / 1e6;  // a year
  const double per_mtoken = static_cast<double>(rate.chips) / mtokens;
  std::vector<YearLine> lines = year_lines({chip_usd, chip.power.limit, mean}, own, sources);
  for (YearLine& line : lines) line.usd *= per_mtoken;
  return lines;
}

}  // namespace

TokenPrice usd_per_mtoken(const TokenRate& rate, const Chip& chip, const ChipPrice& price,
                          const Prices& prices) {
  const Band each = chip.price ? *chip.price : price.usd_per_chip;
  const auto lines_at = [&](End end, double chip_usd) {
    Ownership own = prices.ownership;
    turn(ownership_knobs(own, prices.sources), end);
    return mtoken_lines(rate, chip, chip_usd, own, prices.sources);
  };
  const std::vector<YearLine> cheap = lines_at(End::low, each.low);
  const std::vector<YearLine> expected = lines_at(End::typical, each.typical);
  const std::vector<YearLine> dear = lines_at(End::high, each.high);
  TokenPrice result;
  result.at_market_price = chip.price.has_value();
  for (std::size_t i = 0; i < expected.size(); ++i) {
    std::string source = expected[i].source;
    if (i == 0) {
      source = fmt::format("{} x {}, {} at {:.0f} % utilisation", rate.chips,
                           chip.price ? "market price" : "cost of the chip", source,
                           100 * prices.ownership.utilisation.typical);
    }
    result.lines.push_back(
        {expected[i].name, {cheap[i].usd, expected[i].usd, dear[i].usd}, std::move(source)});
    result.usd_per_mtoken += result.lines.back().usd;
  }
  return result;
}

double usd_per_mtoken_at(const TokenRate& rate, const Chip& chip, double chip_usd,
                         const Prices& prices) {
  double sum = 0;
  for (const YearLine& line : mtoken_lines(rate, chip, chip_usd, prices.ownership, prices.sources))
    sum += line.usd;
  return sum;
}

}  // namespace presil
