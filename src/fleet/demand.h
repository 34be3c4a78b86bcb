// Who asks when: regions whose users sleep at different hours.
//
// A region's rate over its day is mean x (1 + (peak/mean - 1) cos(2 pi (t - peak hour) / 24 h)), t
// being local time. Everything here goes by whole hours of universal time, each with the mean of
// the curve over it, so that the 24 hours of a region sum to its requests of the day.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/fields.h"
#include "base/units.h"

namespace presil::fleet {

inline constexpr int kHours = 24;

struct Region {
  std::string name;
  double share = 1;                 // of the requests of the day, and of the chips
  int utc_offset_h = 0;             // local time less universal time
  double peak_to_mean = 1;          // of the curve; at most 2, where it just reaches 0 at night
  double peak_hour = 20;            // local
  std::optional<Watts> site_power;  // the cap of its site, everything included
};

/// The mean over `utc_hour` (0 to 23) of the region's rate, over its mean of the day.
double load_factor(const Region& region, int utc_hour);

/// The hour of the day there when it is `utc_hour` in universal time.
int local_hour(const Region& region, int utc_hour);

/// Reads the list `regions`; complains unless there are some and their shares sum to 1.
std::vector<Region> read_regions(Fields& f);

}  // namespace presil::fleet
