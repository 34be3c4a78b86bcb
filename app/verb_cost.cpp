// cost: the bill of a chip.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/output.h"
#include "cost/price.h"
#include "cost/prices.h"
#include "explore/parts_json.h"
#include "report/table.h"

namespace presil::app {

int cost_verb(const Common& common, const std::string& name, std::int64_t volume) {
  const ChipFiles files = load_chip(name, common.set, common.places.home);
  const Prices prices = load_prices(common.places.home);
  PriceOptions options;
  options.volume = volume;
  const ChipPrice price = price_chip(files, prices, options);
  if (common.json) {
    print_json(common, {{"schema", "presil/cost/1"},
                        {"chip", files.chip.name},
                        {"lines", lines_json(price.lines)},
                        {"usd_per_chip", band_json(price.usd_per_chip)},
                        {"dies_per_wafer", price.dies_per_wafer},
                        {"yield", price.yield},
                        {"package_yield", price.package_yield},
                        {"wafers", price.wafers},
                        {"stacks", price.stacks}});
    return 0;
  }
  Table table({{"USD a chip"},
               {"low", Align::right},
               {"typical", Align::right},
               {"high", Align::right},
               {"from"}});
  const auto row = [&](const std::string& title, const Band& b, const std::string& from) {
    table.add({title, fmt::format("{:.0f}", b.low), fmt::format("{:.0f}", b.typical),
               fmt::format("{:.0f}", b.high), Cell(from, Tone::dim)});
  };
  for (const CostLine& l : price.lines) row(l.name, l.usd, l.source);
  table.add_rule();
  row("total", price.usd_per_chip,
      fmt::format("{} dies a wafer, yield {:.0f} %, assembly {:.0f} %", price.dies_per_wafer,
                  100 * price.yield, 100 * price.package_yield));
  fmt::print("{}", table.render(colour()));
  return 0;
}

}  // namespace presil::app
