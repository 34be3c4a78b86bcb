// Where a request runs: the first rule of the policy that fits.
#pragma once

#include "serving/device/job.h"

namespace presil::serving {

/// What a policy may look at besides the request.
struct DeviceView {
  double battery_left = 1;
  bool throttled = false;
  std::int64_t waiting = 0;  // jobs on the device that have not ended
  std::string_view network;  // "none" without one
};

Place place_of(const Policy& policy, const Job& job, const DeviceView& view);

/// The stretch of networks that holds `now`, which come round; nothing when there is none.
std::optional<std::size_t> network_at(const std::vector<NetworkStretch>& networks, Nanoseconds now);

}  // namespace presil::serving
