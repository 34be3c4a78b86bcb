// A scenario's device end to end: its model and the cloud's are deployed, their steps timed, and
// its load run under every policy.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "explore/run_request.h"
#include "serving/device/simulate.h"

namespace presil {

struct DeviceAnswer {
  serving::DeviceSpec spec;
  std::optional<Infeasible> no;  // something of it cannot be deployed
  serving::DeviceResult result;
  double kv_bytes_per_token = 0;   // of the device's model
  Usd prompt_price, output_price;  // a million tokens in the cloud
  bool own_prices = false;         // worked out from the cloud's chips, not given
  std::size_t steps_timed = 0;
};

/// Requests come in order of arrival; speech needs none. Throws InputError or MissingInput for what
/// is wrong with what the spec names.
DeviceAnswer answer_device(const serving::DeviceSpec& spec,
                           std::span<const serving::Request> requests, const Places& places,
                           std::uint64_t seed);

/// What the results say, a sentence a policy.
std::vector<std::string> sentences(const DeviceAnswer& answer);

}  // namespace presil
