// Watts of chips become megawatts, dollars and wafers.
//
// Capital is written off evenly over its life; the rest is paid by the day. What is paid and
// written off in a day, over what is written in a day, is the price of a token.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/units.h"
#include "cost/prices.h"
#include "fleet/spec.h"

namespace presil::fleet {

/// A chip from one foundry.
struct ChipSource {
  Band usd_per_chip;  // own: at cost, without its design; bought: the price
  Band design_usd;    // with masks; once
  double wafers = 0;  // started for one chip
  double stacks = 0;  // used for one chip, lost ones included
};

/// What one kind of chip costs and is made of.
struct ChipSupply {
  bool own = false;
  Watts limit;  // of a chip: its server is built for it
  ChipSource first;
  std::optional<ChipSource> second;  // the same design elsewhere; nothing: as from the first
};

struct ChipCount {
  const ChipSupply* supply = nullptr;
  std::int64_t chips = 0;
};

struct BillLine {
  std::string name;
  Band usd;          // paid once; none of what is paid by the day
  Band usd_per_day;  // written off, or paid
};

struct FleetBill {
  std::vector<BillLine> capital;    // sums to capex and depreciation_per_day
  std::vector<BillLine> operation;  // sums to opex_per_day
  Band capex, depreciation_per_day, opex_per_day;

  Band per_day() const { return depreciation_per_day + opex_per_day; }
};

/// Site power over its chips' power: the server's other parts, then cooling.
double power_overhead(const Ownership& ownership);

/// What the makers must deliver.
struct SupplyNeed {
  double own_wafers = 0;  // with as much from the first foundry as it can make
  double bought_wafers = 0;
  double stacks = 0;
  double first_foundry_chips = 0;  // of the own
  double second_foundry_chips = 0;
  double second_foundry_share = 0;  // of the own chips
  double second_foundry_wafers = 0;
  // Of what the ceiling gives over the years; above 1 they are not to be had. 0 without a ceiling.
  double stacks_share = 0;
};

SupplyNeed supply_need(std::span<const ChipCount> kinds, const Ceilings& ceilings);

/// `need` says how many own chips come from the second foundry, `mean_chip_watts` is what all chips
/// together draw, over the day.
FleetBill make_bill(std::span<const ChipCount> kinds, const SupplyNeed& need,
                    const Ownership& ownership, const FailureRecord& failures,
                    double mean_chip_watts);

}  // namespace presil::fleet
