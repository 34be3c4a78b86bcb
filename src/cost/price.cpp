#include "cost/price.h"

#include <algorithm>

namespace presil {
namespace {

Bill bill_at(CostInputs inputs, const PriceOptions& options, End end) {
  turn(bill_knobs(inputs), end);
  return bill_of(inputs, options, Explained::no);
}

}  // namespace

ChipPrice price_chip(const CostInputs& inputs, const PriceOptions& options) {
  const Bill bill = bill_of(inputs, options, Explained::yes);
  const Bill cheap = bill_at(inputs, options, End::low);
  const Bill dear = bill_at(inputs, options, End::high);
  ChipPrice price;
  for (std::size_t i = 0; i < bill.lines.size(); ++i) {
    price.lines.push_back({bill.lines[i].name,
                           {cheap.lines[i].usd, bill.lines[i].usd, dear.lines[i].usd},
                           bill.lines[i].source});
  }
  price.usd_per_chip = {cheap.usd, bill.usd, dear.usd};
  price.dies_per_wafer = bill.dies_per_wafer;
  price.yield = bill.yield;
  price.package_yield = bill.package_yield();
  price.stacks = bill.stacks;
  const auto chips = static_cast<double>(std::max<std::int64_t>(1, options.volume));
  price.wafers = bill.wafers * chips;
  price.stacks_used = bill.stacks_used * chips;
  price.interposers = bill.interposers * chips;
  return price;
}

ChipPrice price_chip(const ChipFiles& files, const Prices& prices, const PriceOptions& options) {
  return price_chip(cost_inputs(files, prices), options);
}

}  // namespace presil
