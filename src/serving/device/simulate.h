// A device, its networks and its cloud under a load, once for each policy.
#pragma once

#include <span>
#include <vector>

#include "serving/device/result.h"
#include "serving/device/spec.h"
#include "serving/request.h"
#include "serving/source.h"
#include "serving/step_cost.h"

namespace presil::serving {

/// What the spec's names stand for, from who knows chips and files. Everything pointed to outlives
/// the run.
struct DeviceParts {
  const StepCosts* local = nullptr;    // the device's model on its chip
  const StepCosts* encoder = nullptr;  // speech only
  Watts local_idle;                    // of the chip between steps; part of its steps' energy
  const StepCosts* cloud = nullptr;
  const StepCosts* cloud_local = nullptr;    // the device's model in the cloud: split_prefill only
  const StepCosts* cloud_encoder = nullptr;  // speech in the cloud only
  Bytes kv_per_token;                        // of the device's model: split_prefill only
  Usd prompt_price, output_price;            // a million tokens in the cloud
  std::vector<Radio> radios;  // one for each stretch of spec.networks; unused for "none"
};

/// The radios of the spec's networks, read from home/radios.
std::vector<Radio> load_radios(const DeviceSpec& spec, const std::filesystem::path& home);

/// The first `limit` requests of a source, or all. Closed loops cannot be taken so.
std::vector<Request> take_requests(RequestSource& source, std::size_t limit);

/// Runs `requests` (in order of arrival) and the spec's speech under each policy. The same for the
/// same seed, on any number of threads.
DeviceResult simulate_device(const DeviceSpec& spec, const DeviceParts& parts,
                             std::span<const Request> requests, std::uint64_t seed);

}  // namespace presil::serving
