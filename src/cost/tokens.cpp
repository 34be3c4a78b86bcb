#include "cost/tokens.h"

#include <fmt/format.h>

namespace presil {
namespace {

constexpr double kJoulesPerKilowattHour = 3.6e6;
constexpr double kWattsPerKilowatt = 1e3;

}  // namespace

TokenPrice usd_per_mtoken(const TokenRate& rate, const Chip& chip, const ChipPrice& price,
                          const Prices& prices) {
  CHECK(rate.tokens_per_s > 0, "a price per token needs tokens");
  const Ownership& own = prices.ownership;
  const auto chips = static_cast<double>(rate.chips);
  const double mtokens = rate.tokens_per_s * own.utilisation * own.lifetime.count() / 1e6;
  const double limit_kw = chips * chip.power.limit.count() / kWattsPerKilowatt;

  const Band bought = (chip.price ? *chip.price : price.usd_per_chip) * chips;
  const Band server = own.server * limit_kw;
  const Band network = (bought + server) * own.network_share;
  const double building_share = own.lifetime / own.building_lifetime;
  const Band building = own.building * (limit_kw * own.server_power * building_share);
  const double mean_watts =
      rate.power.count() * own.utilisation + chip.power.idle.count() * (1 - own.utilisation);
  const double lifetime_kwh = chips * mean_watts * own.server_power * own.pue *
                              own.lifetime.count() / kJoulesPerKilowattHour;
  const Band electricity = own.electricity * lifetime_kwh;

  TokenPrice result;
  result.at_market_price = chip.price.has_value();
  const auto add = [&](const std::string& name, Band usd, const std::string& source) {
    result.lines.push_back({name, usd * (1 / mtokens), source});
    result.usd_per_mtoken += result.lines.back().usd;
  };
  const std::string years =
      fmt::format("over {:.1f} years at {:.0f} % utilisation",
                  own.lifetime.count() / (365.25 * 86400), 100 * own.utilisation);
  add("chips", bought,
      fmt::format("{} x {}, {}", rate.chips, chip.price ? "market price" : "cost of the chip",
                  years));
  add("server", server, source_text(prices.sources, "ownership.server"));
  add("network", network, source_text(prices.sources, "ownership.network_share"));
  add("building", building, source_text(prices.sources, "ownership.building"));
  add("electricity", electricity,
      fmt::format("{:.0f} W a chip on average, x {:g} for the server, PUE {:g}; {}", mean_watts,
                  own.server_power, own.pue, source_text(prices.sources, "ownership.electricity")));
  return result;
}

}  // namespace presil
