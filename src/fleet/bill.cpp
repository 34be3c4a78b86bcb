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

FleetBill make_bill(std::span<const ChipCount> kinds, const SupplyNeed& need,
                    const Ownership& ownership, const FailureRecord& failures,
                    double mean_chip_watts) {
  Band own_chips, bought_chips, design, replaced;
  double limit_kw = 0;
  for (const ChipCount& kind : kinds) {
    if (kind.chips == 0) continue;
    const ChipSupply& supply = *kind.supply;
    const auto chips = static_cast<double>(kind.chips);
    Band paid = supply.first.usd_per_chip * chips;
    design += supply.first.design_usd;
    if (supply.own && need.second_foundry_chips > 0) {
      const ChipSource& second = supply.second.value_or(supply.first);
      paid = supply.first.usd_per_chip * need.first_foundry_chips +
             second.usd_per_chip * need.second_foundry_chips;
      design += second.design_usd;
    }
    (supply.own ? own_chips : bought_chips) += paid;
    limit_kw += chips * supply.limit.count() / kWattsPerKilowatt;
    replaced += paid * (scrap_rate(failures) * kSecondsPerDay);
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
    if (kind.chips == 0) continue;
    const ChipSource& first = kind.supply->first;
    const auto chips = static_cast<double>(kind.chips);
    if (!kind.supply->own) {
      need.bought_wafers += chips * first.wafers;
      need.stacks += chips * first.stacks;
      continue;
    }
    const ChipSource& second = kind.supply->second.value_or(first);
    const double most = ceilings.wafers_per_year
                            ? *ceilings.wafers_per_year * ceilings.years / first.wafers
                            : chips;
    need.first_foundry_chips = std::min(chips, most);
    need.second_foundry_chips = chips - need.first_foundry_chips;
    need.second_foundry_share = need.second_foundry_chips / chips;
    need.second_foundry_wafers = need.second_foundry_chips * second.wafers;
    need.own_wafers = need.first_foundry_chips * first.wafers + need.second_foundry_wafers;
    need.stacks +=
        need.first_foundry_chips * first.stacks + need.second_foundry_chips * second.stacks;
  }
  if (ceilings.stacks_per_year) {
    need.stacks_share = need.stacks / (*ceilings.stacks_per_year * ceilings.years);
  }
  return need;
}

}  // namespace presil::fleet
