// What a chip costs in service: its server, rack, network, power delivery, cooling, building,
// electricity and repairs, as the bill of one year.
#pragma once

#include <vector>

#include "chip/chip.h"
#include "cost/price.h"
#include "cost/prices.h"

namespace presil {

/// The year that bills are of: 365.25 days.
inline constexpr Seconds kYear(31'557'600);

/// One chip in service.
struct ChipInService {
  double usd = 0;    // what it cost
  Watts limit;       // what server and building are built for
  Watts mean_power;  // drawn over the year, idle hours included
};

struct YearLine {
  std::string name;
  double usd = 0;
  bool capital = true;  // written off; otherwise it is paid as it comes
  std::string source;
};

/// The lines of one chip's year at the typical values of `ownership`.
std::vector<YearLine> year_lines(const ChipInService& chip, const Ownership& ownership,
                                 const Sources& sources);

/// The share of a year that a chip is not away for repair: 1 / (1 + failures x repair_time / year).
double availability(const Ownership& ownership);

/// USD around each kW of chip limit, but for network and building: board, host, and the server's
/// power delivery, cooling and rack.
Band server_per_kw(const Ownership& ownership);

struct YearBill {
  std::vector<CostLine> lines;  // USD for one chip and year; they sum to total, in their order
  Band depreciation;            // of them: capital
  Band running;                 // and electricity and repairs
  Band total;                   // depreciation + running
};

/// One chip's year. `chip_usd` is what it cost (its bill, or the market's price), `mean_power` what
/// it draws over the year.
YearBill chip_year(const Chip& chip, Band chip_usd, Watts mean_power, const Prices& prices);

}  // namespace presil
