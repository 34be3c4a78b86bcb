// Where the chips stand and what each hour asks of them, before anything is simulated.
//
// Chips go to sites as requests do. At each site the binomial says how many units are up for sure
// (the others are spares or out); a rolling upgrade takes a share of those; a cap on the site's
// power lets only so many be awake that they stay below it even at their highest rate. A replica is
// given at most target_load of the highest rate that keeps the promise; what is beyond that goes to
// sites that have room, or is turned away.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "base/units.h"
#include "fleet/spec.h"

namespace presil::fleet {

/// What planning knows of one kind of chip.
struct Kind {
  std::int64_t chips = 0;
  Placement placement;
  double highest_rate = 0;       // requests/s of a replica that just keeps the promise
  double watts_at_highest = 0;   // of that replica's chips
  double most_watts = 0;         // of them at any rate up to it
  double chip_asleep_watts = 0;  // of a chip that is up and not awake
  double joules_per_request() const { return watts_at_highest / highest_rate; }
};

/// One kind at one site.
struct SiteKind {
  std::int64_t chips = 0;
  std::int64_t replicas = 0;
  std::int64_t counted_on = 0;  // of them: up with spare_confidence
  double broken_chips = 0;      // mean
};

/// One kind at one site for one hour.
struct KindHour {
  std::int64_t ready = 0;  // replicas that may be awake
  std::int64_t awake = 0;
  double rate = 0;  // requests/s of each that is awake
};

struct SiteHour {
  double demand = 0;   // requests/s of its users
  double served = 0;   // requests/s of its replicas, whoever's they are
  double sent_on = 0;  // to other sites
  double turned_away = 0;
  bool power_capped = false;
  std::vector<KindHour> kinds;
};

struct Site {
  std::vector<SiteKind> kinds;
  std::array<SiteHour, kHours> hours;  // universal time
};

/// `overhead`: site power over its chips' power. Throws InputError when a site's cap is below what
/// its sleeping chips draw.
std::vector<Site> make_plan(const FleetSpec& spec, std::span<const Kind> kinds, double overhead);

}  // namespace presil::fleet
