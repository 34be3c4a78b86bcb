#include "dram/policy.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/error.h"

namespace presil::dram {

Policy policy_of(const Dram& config) {
  return {config.refresh, config.page_policy, config.controller, config.hot};
}

PolicyTicks::PolicyTicks(const MemoryPart& part, BitsPerSecond rate, const Policy& policy)
    : refresh_stagger(policy.controller.refresh_stagger) {
  const auto ticks = [&](const DramTiming& timing) {
    return part.clocks(timing, rate) * part.ticks_per_clock;
  };
  const int banks = static_cast<int>(part.total_banks());
  const Tick all_banks = ticks(part.tREFI) / (policy.hot ? 2 : 1);
  if (policy.refresh != Refresh::off && all_banks < 2 * ticks(part.tRFCab)) {
    throw InputError(fmt::format(
        "{}: hot, tREFI halves to {} ticks, and REFab alone takes {}: nothing else would fit",
        part.name, all_banks, ticks(part.tRFCab)));
  }
  if (policy.refresh == Refresh::all_bank) refresh_interval = all_banks;
  if (policy.refresh == Refresh::per_bank) {
    refresh_interval = all_banks / banks;
    const Tick apart = std::max(ticks(part.tRREFD), part.pseudo_channels * part.refresh_ticks);
    if (refresh_interval < 2 * apart) {
      throw InputError(fmt::format(
          "{}: a REFpb would be due every {} ticks, and takes {}: nothing else would fit",
          part.name, refresh_interval, apart));
    }
  }
  const Controller& c = policy.controller;
  const int units = policy.refresh == Refresh::per_bank ? banks : 1;
  postpone = static_cast<int>(c.postpone) * units;
  write_low = static_cast<int>(c.write_low * static_cast<double>(c.queue));
  write_high = static_cast<int>(c.write_high * static_cast<double>(c.queue));
  if (c.starvation.count() > 0) starvation = part.tick_clock(rate).cycle_at(c.starvation).count();
  rfm_threshold = static_cast<int>(c.rfm_threshold);
  idle_unit = ticks(part.tRC);
}

Tick PolicyTicks::first_refresh(int pseudo_channel) const {
  if (refresh_interval == kNever) return kNever;
  const double later = refresh_stagger * pseudo_channel * static_cast<double>(refresh_interval);
  return refresh_interval + static_cast<Tick>(later);
}

}  // namespace presil::dram
