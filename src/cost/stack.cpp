#include "cost/stack.h"

#include <algorithm>
#include <cmath>

#include "cost/die.h"

namespace presil {
namespace {

constexpr Millimetres kUsableDiameter(294);

}  // namespace

StackCost stack_cost(const StackParts& parts, std::int64_t height) {
  const auto n = static_cast<double>(height);
  const double dies_a_wafer =
      std::max(1.0, std::floor(dies_per_wafer(parts.die_area, kUsableDiameter)));
  StackCost s;
  s.dies = n * parts.wafer_price.typical / dies_a_wafer / parts.die_yield.typical;
  s.bonds = n * parts.bond.typical;
  s.base = parts.base_die.typical;
  s.yield = std::pow(parts.bond_yield.typical, n);
  s.test = parts.test.typical;
  s.cost = (s.dies + s.bonds + s.base) / s.yield + s.test;
  s.price = s.cost / (1 - parts.margin.typical);
  return s;
}

}  // namespace presil
