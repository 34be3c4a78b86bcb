#include "cost/ownership.h"

#include <fmt/format.h>

#include "cost/cost_inputs.h"

namespace presil {
namespace {

constexpr double kJoulesPerKilowattHour = 3.6e6;
constexpr double kWattsPerKilowatt = 1e3;

double end_of(const Band& band, End end) {
  return end == End::low ? band.low : end == End::high ? band.high : band.typical;
}

}  // namespace

double availability(const Ownership& o) {
  return 1 / (1 + o.failures.typical * (o.repair_time / kYear));
}

Band server_per_kw(const Ownership& o) {
  return o.board + o.host + (o.power_delivery + o.cooling + o.rack) * o.server_power;
}

std::vector<YearLine> year_lines(const ChipInService& chip, const Ownership& o,
                                 const Sources& sources) {
  const double written_off = kYear / o.lifetime;  // of capital, in a year
  const double chip_kw = chip.limit.count() / kWattsPerKilowatt;
  const double server_kw = chip_kw * o.server_power.typical;
  const double board = o.board.typical * chip_kw;
  const double host = o.host.typical * chip_kw;
  const double power = o.power_delivery.typical * server_kw;
  const double cooling = o.cooling.typical * server_kw;
  const double rack = o.rack.typical * server_kw;
  const double network =
      (chip.usd + board + host + power + cooling + rack) * o.network_share.typical;
  const double building = o.building.typical * server_kw * (kYear / o.building_lifetime);
  const double kwh = chip.mean_power.count() * o.server_power.typical * o.pue.typical *
                     kYear.count() / kJoulesPerKilowattHour;
  const double repairs = o.failures.typical * o.repair.typical * chip.usd;

  std::vector<YearLine> lines;
  const auto capital = [&](const std::string& name, double usd, const std::string& field) {
    lines.push_back({name, usd * written_off, true, source_text(sources, field)});
  };
  lines.push_back({"chips", chip.usd * written_off, true,
                   fmt::format("over {:.1f} years", o.lifetime / kYear)});
  capital("board", board, "ownership.board");
  capital("host", host, "ownership.host");
  capital("power delivery", power, "ownership.power_delivery");
  capital("cooling", cooling, "ownership.cooling");
  capital("rack", rack, "ownership.rack");
  capital("network", network, "ownership.network_share");
  lines.push_back({"building", building, true, source_text(sources, "ownership.building")});
  lines.push_back({"electricity", o.electricity.typical * kwh, false,
                   fmt::format("{:.0f} W a chip on average, x {:g} for the server, PUE {:g}; {}",
                               chip.mean_power.count(), o.server_power.typical, o.pue.typical,
                               source_text(sources, "ownership.electricity"))});
  lines.push_back({"repairs", repairs, false,
                   fmt::format("{:g} failures a year, each {:g} of a chip; {}", o.failures.typical,
                               o.repair.typical, source_text(sources, "ownership.failures"))});
  return lines;
}

YearBill chip_year(const Chip& chip, Band chip_usd, Watts mean_power, const Prices& prices) {
  const auto lines_at = [&](End end) {
    Ownership own = prices.ownership;
    turn(ownership_knobs(own, prices.sources), end);
    return year_lines({end_of(chip_usd, end), chip.power.limit, mean_power}, own, prices.sources);
  };
  const std::vector<YearLine> cheap = lines_at(End::low);
  const std::vector<YearLine> expected = lines_at(End::typical);
  const std::vector<YearLine> dear = lines_at(End::high);
  YearBill year;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const Band usd{cheap[i].usd, expected[i].usd, dear[i].usd};
    year.lines.push_back({expected[i].name, usd, expected[i].source});
    (expected[i].capital ? year.depreciation : year.running) += usd;
  }
  year.total = year.depreciation + year.running;
  return year;
}

}  // namespace presil
