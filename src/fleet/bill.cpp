#include "fleet/bill.h"

#include <algorithm>

#include "cost/ownership.h"

namespace presil::fleet {
namespace {

constexpr double kSecondsPerDay = 86400;
constexpr double kJoulesPerKilowattHour = 3.6e6;
constexpr double kWattsPerKilowatt = 1e3;

class Writer {
 public:
  void once(const std::string& name, Band usd, Seconds life) {
    const Band per_day = usd * (kSecondsPerDay / life.count());
    bill_.capital.push_back({name, usd, per_day});
    bill_.capex += usd;
    bill_.depreciation_per_day += per_day;
  }
  void daily(const std::string& name, Band usd) {
    bill_.operation.push_back({name, {}, usd});
    bill_.opex_per_day += usd;
  }
  FleetBill take() { return std::move(bill_); }

 private:
  FleetBill bill_;
};

}  // namespace

double power_overhead(const Ownership& ownership) {
  return ownership.server_power.typical * ownership.pue.typical;
}

FleetBill make_bill(std::span<const ChipCount> kinds, const Ownership& ownership,
                    const FailureRecord& failures, double mean_chip_watts) {
  Band own_chips, bought_chips, design, replaced;
  double limit_kw = 0;
  for (const ChipCount& kind : kinds) {
    if (kind.chips == 0) continue;
    const ChipSupply& supply = *kind.supply;
    const auto chips = static_cast<double>(kind.chips);
    (supply.own ? own_chips : bought_chips) += supply.usd_per_chip * chips;
    design += supply.design_usd;
    limit_kw += chips * supply.limit.count() / kWattsPerKilowatt;
    replaced += supply.usd_per_chip * (chips * scrap_rate(failures) * kSecondsPerDay);
  }
  const Band servers = server_per_kw(ownership) * limit_kw;
  const double site_kw = mean_chip_watts * power_overhead(ownership) / kWattsPerKilowatt;

  Writer bill;
  bill.once("own chips", own_chips, ownership.lifetime);
  bill.once("design and masks", design, ownership.lifetime);
  bill.once("bought chips", bought_chips, ownership.lifetime);
  bill.once("servers", servers, ownership.lifetime);
  bill.once("network", (own_chips + bought_chips + servers) * ownership.network_share,
            ownership.lifetime);
  bill.once("buildings", ownership.building * ownership.server_power * limit_kw,
            ownership.building_lifetime);
  bill.daily("electricity", ownership.electricity * (site_kw * kWattsPerKilowatt * kSecondsPerDay /
                                                     kJoulesPerKilowattHour));
  bill.daily("replaced chips", replaced);
  return bill.take();
}

SupplyNeed supply_need(std::span<const ChipCount> kinds, const Ceilings& ceilings) {
  SupplyNeed need;
  for (const ChipCount& kind : kinds) {
    const ChipSupply& supply = *kind.supply;
    const auto chips = static_cast<double>(kind.chips);
    need.stacks += chips * supply.stacks;
    if (!supply.own) {
      need.bought_wafers += chips * supply.wafers;
      continue;
    }
    if (chips == 0) continue;
    const double first = ceilings.wafers_per_year
                             ? *ceilings.wafers_per_year * ceilings.years / supply.wafers
                             : chips;
    need.first_foundry_chips = std::min(chips, first);
    const double second = chips - need.first_foundry_chips;
    need.second_foundry_share = second / chips;
    need.second_foundry_wafers = second * supply.second_wafers.value_or(supply.wafers);
    need.own_wafers = need.first_foundry_chips * supply.wafers + need.second_foundry_wafers;
  }
  if (ceilings.stacks_per_year) {
    need.stacks_share = need.stacks / (*ceilings.stacks_per_year * ceilings.years);
  }
  return need;
}

}  // namespace presil::fleet
