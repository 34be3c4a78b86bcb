// cost: the bill of a chip, its year in service, and how sure they are.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/output.h"
#include "explore/cost_json.h"
#include "report/table.h"

namespace presil::app {
namespace {

Table bill_table(const std::string& heading) {
  return Table({{heading},
                {"low", Align::right},
                {"typical", Align::right},
                {"high", Align::right},
                {"from"}});
}

void add_row(Table& table, const std::string& title, const Band& b, const std::string& from) {
  table.add({title, fmt::format("{:.0f}", b.low), fmt::format("{:.0f}", b.typical),
             fmt::format("{:.0f}", b.high), Cell(from, Tone::dim)});
}

void print_bills(const CostAnswer& a) {
  Table bill = bill_table("USD a chip");
  for (const CostLine& l : a.price.lines) add_row(bill, l.name, l.usd, l.source);
  bill.add_rule();
  add_row(bill, "total", a.price.usd_per_chip,
          fmt::format("{} dies a wafer, yield {:.0f} %, assembly {:.0f} %", a.price.dies_per_wafer,
                      100 * a.price.yield, 100 * a.price.package_yield));
  fmt::print("{}\n", bill.render(colour()));

  Table year = bill_table("USD a year");
  for (const CostLine& l : a.year.lines) add_row(year, l.name, l.usd, l.source);
  year.add_rule();
  add_row(year, "total", a.year.total,
          fmt::format("{:.0f} to write off, {:.0f} to pay; {:.0f} W on average",
                      a.year.depreciation.typical, a.year.running.typical, a.mean_power.count()));
  fmt::print("{}", year.render(colour()));
}

std::string wafer_text(const std::optional<double>& usd) {
  return usd ? fmt::format("{:.0f}", *usd) : "never";
}

void print_move(const CostAnswer& a) {
  const Port& p = a.chip.port;
  fmt::print("\nMoved from {} to {}: a die of {} instead of {}, {} instead of {}.\n", p.from, p.to,
             to_string(p.area_to.total()), to_string(p.area_from.total()), to_string(p.limit_to),
             to_string(p.limit_from));
  const BreakEven& line = *a.break_even;
  fmt::print("{} wins over {} below the wafer prices of its defect density:\n\n", line.node,
             line.against);
  Table table({{"defects/cm2", Align::right},
               {"USD a wafer", Align::right},
               {"with its watts", Align::right}});
  for (const BreakEvenPoint& point : line.curve) {
    table.add({fmt::format("{:.2f}", point.defect_density), wafer_text(point.wafer_usd),
               wafer_text(point.wafer_usd_owned)});
  }
  fmt::print("{}", table.render(colour()));
}

void print_spread(const CostAnswer& a) {
  if (a.monte_carlo) {
    const MonteCarlo& s = *a.monte_carlo;
    fmt::print(
        "\n{} draws, each price by itself: 10 % below {:.0f} USD, half below {:.0f}, 90 % "
        "below {:.0f}; mean {:.0f}\n",
        s.samples, s.p10, s.p50, s.p90, s.mean);
  }
  if (a.tornado.empty()) return;
  Table table({{"what matters"},
               {"low", Align::right},
               {"high", Align::right},
               {"USD at low", Align::right},
               {"USD at high", Align::right}});
  for (const Swing& s : a.tornado) {
    table.add({s.name, fmt::format("{:g}", s.low), fmt::format("{:g}", s.high),
               fmt::format("{:.0f}", s.usd_low), fmt::format("{:.0f}", s.usd_high)});
  }
  fmt::print("\n{}", table.render(colour()));
}

}  // namespace

int cost_verb(const Common& common, CostRequest request) {
  request.seed = common.seed;
  const CostAnswer answer = answer_cost(request, common.set, common.places.home);
  if (common.json) {
    Json json = {{"schema", "presil/cost/1"}};
    json.update(cost_json(answer));
    print_json(common, std::move(json));
    return 0;
  }
  print_bills(answer);
  if (answer.break_even) print_move(answer);
  print_spread(answer);
  return 0;
}

}  // namespace presil::app
