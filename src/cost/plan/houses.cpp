#include "cost/plan/houses.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "cost/ownership.h"

namespace presil {
namespace {

constexpr Range kMargin{0, 0.95};
constexpr Choice<BadStackPaidBy> kPayers[] = {{"buyer", BadStackPaidBy::buyer},
                                              {"maker", BadStackPaidBy::maker},
                                              {"house", BadStackPaidBy::house}};

Margins read_margins(Fields& f) {
  Margins m;
  m.foundry = f.number("foundry", "of wafers", kMargin);
  m.memory = f.number("memory", "of DRAM", kMargin);
  m.packaging = f.number("packaging", "of package, assembly and test", kMargin);
  return m;
}

House read_house(Fields& f) {
  House h;
  h.name = f.text("name", "who it is");
  h.to.node = f.text_or("node", "a file in nodes/; the chip's own when absent", "");
  h.to.package = f.text_or("package", "a file in packages/; the chip's own when absent", "");
  h.margins = f.map("margins", "shares of prices that are not cost", read_margins);
  h.bad_stack =
      f.choice<BadStackPaidBy>("bad_stack", "who pays for one found bad when placed", kPayers);
  h.handovers = f.integer_or("handovers", "of goods between companies", 0, {0, 100});
  h.handover = f.quantity_or<Seconds>("handover", "time of each", Seconds(0));
  return h;
}

/// A gross margin in the price list, and the one that a house asks for instead.
struct Margin {
  double listed, asked;
  /// What turns a listed price into the house's.
  double factor() const { return (1 - listed) / (1 - asked); }
};

/// Whose margin a line of the bill carries; none for losses, which are priced by what is lost.
std::optional<Margin> margin_of(const std::string& line, const Margins& listed,
                                const Margins& asked) {
  if (line == "assembly loss" || line == "3D bonding loss" || line == "bad stacks") {
    return std::nullopt;
  }
  if (line == "die" || line == "3D bonding") return Margin{listed.foundry, asked.foundry};
  if (line == "dram") return Margin{listed.memory, asked.memory};
  return Margin{listed.packaging, asked.packaging};
}

/// What is lost when an assembly fails: all that stands before that loss in the bill.
struct Lost {
  Band listed;       // dies, stacks and package at list prices
  Band sold;         // at the house's
  Band cost;         // without any margin
  double per_stack;  // share of one stack in `sold`, typically
};

Band scaled(const Band& line, const Band& by, const Band& over) {
  const auto at = [](double usd, double a, double b) { return b > 0 ? usd * a / b : 0; };
  return {at(line.low, by.low, over.low), at(line.typical, by.typical, over.typical),
          at(line.high, by.high, over.high)};
}

Band bad_stack_loss(const House& house, const Band& line, const Lost& lost) {
  switch (house.bad_stack) {
    case BadStackPaidBy::buyer:
      return scaled(line, lost.sold, lost.listed);
    case BadStackPaidBy::maker:
      return scaled(line, lost.sold, lost.listed) * (1 - lost.per_stack);
    case BadStackPaidBy::house:
      return scaled(line, lost.cost, lost.listed);
  }
  return line;
}

std::string_view payer_text(BadStackPaidBy payer) {
  switch (payer) {
    case BadStackPaidBy::buyer:
      return "the buyer pays for all that was assembled";
    case BadStackPaidBy::maker:
      return "the maker replaces its stack, the buyer pays for the rest";
    case BadStackPaidBy::house:
      return "the house bears it at its own cost";
  }
  return "";
}

Band on_grid(const Band& b) {
  return {presil::on_grid(b.low), presil::on_grid(b.typical), presil::on_grid(b.high)};
}

Lost lost_parts(const ChipPrice& price, const Margins& listed, const Margins& asked) {
  Lost lost{};
  double stacks = 0;
  for (const CostLine& line : price.lines) {
    if (line.name == "assembly loss") break;
    const auto margin = margin_of(line.name, listed, asked);
    if (!margin) continue;
    lost.listed += line.usd;
    lost.sold += line.usd * margin->factor();
    lost.cost += line.usd * (1 - margin->listed);
    if (line.name == "dram") stacks = line.usd.typical * margin->factor();
  }
  if (price.stacks > 0) {
    lost.per_stack = stacks / static_cast<double>(price.stacks) / lost.sold.typical;
  }
  return lost;
}

HouseBill bill_from(const House& house, const HousesSpec& spec,
                    const std::vector<std::string>& overrides, const Prices& prices,
                    const std::filesystem::path& home) {
  const ChipFiles files = load_ported(spec.chip, overrides, home, house.to).files;
  const ChipPrice price = price_chip(files, prices);
  const Margins& listed = spec.listed;
  const Margins& asked = house.margins;
  const Lost lost = lost_parts(price, listed, asked);

  HouseBill bill;
  bill.name = house.name;
  bill.node = files.node.name;
  bill.package = files.package.name;
  bill.watts = files.chip.power.limit;
  const Seconds wafers = files.node.cycle_time.value_or(Seconds(0));
  const Seconds parts = std::max(wafers, price.stacks > 0 ? spec.stack_lead : Seconds(0));
  bill.lead_time = parts + spec.assembly + house.handover * static_cast<double>(house.handovers);

  Band tied_up;
  const auto add = [&](const std::string& name, const Band& usd, const std::string& source) {
    bill.lines.push_back({name, on_grid(usd), source});
    bill.usd_per_chip += bill.lines.back().usd;
  };
  for (const CostLine& line : price.lines) {
    if (const auto margin = margin_of(line.name, listed, asked)) {
      add(line.name, line.usd * margin->factor(),
          fmt::format("margin of {:.0f} % instead of the list's {:.0f} %; {}", 100 * margin->asked,
                      100 * margin->listed, line.source));
    } else if (line.name == "bad stacks") {
      add(line.name, bad_stack_loss(house, line.usd, lost),
          fmt::format("{}; {}", payer_text(house.bad_stack), line.source));
    } else {
      add(line.name, scaled(line.usd, lost.sold, lost.listed),
          "at what the parts are sold for; " + line.source);
    }
    if (line.name == "die" || line.name == "dram") tied_up += bill.lines.back().usd;
  }
  add("capital tied up", tied_up * (spec.capital * (bill.lead_time / kYear)),
      fmt::format("dies and DRAM over {:.0f} days at {:.0f} % a year",
                  bill.lead_time.count() / 86400, 100 * spec.capital));
  return bill;
}

}  // namespace

HousesSpec read_houses(Fields& f) {
  HousesSpec s;
  s.chip = f.text("chip", "a chip file or name");
  s.listed = f.map("listed", "margins that the price list contains", read_margins);
  s.capital = f.number_or("capital", "cost of money, a year", 0, {0, 1});
  s.stack_lead = f.quantity_or<Seconds>("stack_lead", "from order to stack", Seconds(0));
  s.assembly = f.quantity_or<Seconds>("assembly", "from parts to a tested chip", Seconds(0));
  s.one = f.map("one", "one house for all", read_house);
  s.three = f.map("three", "a house for each", read_house);
  return s;
}

HousesResult compare_houses(const HousesSpec& spec, const std::vector<std::string>& overrides,
                            const Prices& prices, const std::filesystem::path& home) {
  return {bill_from(spec.one, spec, overrides, prices, home),
          bill_from(spec.three, spec, overrides, prices, home)};
}

}  // namespace presil
