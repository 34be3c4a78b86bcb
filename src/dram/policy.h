// What the controller of a channel does with requests; docs/dram_controller.md says it tick by
// tick.
#pragma once

#include <cstdint>

#include "chip/chip.h"
#include "chip/memory_part.h"
#include "dram/command.h"

namespace presil::dram {

struct Policy {
  Refresh refresh = Refresh::all_bank;
  PagePolicy page = PagePolicy::open;
  Controller controller;
  bool hot = false;  // above 85 C: refreshed twice as often
};

Policy policy_of(const Dram& config);

/// A policy's numbers for one part at one rate. All engines start from this.
struct PolicyTicks {
  /// Throws InputError where the policy asks for what the part cannot do.
  PolicyTicks(const MemoryPart& part, BitsPerSecond rate, const Policy& policy);

  /// When the first refresh of a pseudo-channel is due; the others follow an interval apart each.
  Tick first_refresh(int pseudo_channel) const;

  Tick refresh_interval = kNever;  // between two REFab, or two REFpb, of one pseudo-channel
  double refresh_stagger = 0;
  int postpone = 0;    // refreshes that may be owed before they are forced
  int write_low = 0;   // writes are drained until fewer than this wait and a read does ...
  int write_high = 0;  // ... once more than this wait
  Tick starvation = kNever;
  int rfm_threshold = 0;  // activates between two RFM; 0: none
  Tick idle_unit = 0;     // adaptive pages: see docs/dram_controller.md
};

/// The adaptive page policy shuts a row idle for idle_unit << level ticks; a bank starts at
/// kFirstIdleLevel, and learns within 0 and kLastIdleLevel.
inline constexpr int kFirstIdleLevel = 2;
inline constexpr int kLastIdleLevel = 6;

}  // namespace presil::dram
