#include "explore/standing_power.h"

#include <algorithm>
#include <iterator>
#include <string_view>

namespace presil {

Watts standing_power(const EnergyBill& bill, Picoseconds time) {
  constexpr std::string_view kStanding[] = {"idle", "dram.refresh", "dram.background",
                                            "sram.refresh", "sram.background"};
  double joules = 0;
  for (const EnergyLine& line : bill.lines) {
    const auto* found = std::find(std::begin(kStanding), std::end(kStanding), line.name);
    if (found != std::end(kStanding)) joules += line.joules.typical;
  }
  const double seconds = to_seconds(time).count();
  return Watts(seconds > 0 ? joules / seconds : 0);
}

}  // namespace presil
