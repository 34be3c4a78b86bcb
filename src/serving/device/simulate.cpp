#include "serving/device/simulate.h"

#include "base/error.h"
#include "base/parallel.h"
#include "serving/device/policy_run.h"

namespace presil::serving {
namespace {

void check_parts(const DeviceSpec& spec, const DeviceParts& parts) {
  CHECK(parts.local != nullptr, "the device has a model");
  CHECK(parts.radios.size() == spec.networks.size(), "every network has its radio");
  CHECK(!spec.speech || parts.encoder != nullptr, "speech has an encoder");
  const bool reaches_cloud = spec.cloud.has_value();
  CHECK(!reaches_cloud || parts.cloud != nullptr, "the cloud has a model");
  CHECK(!reaches_cloud || !spec.speech || parts.cloud_encoder != nullptr,
        "speech in the cloud has an encoder");
  CHECK(!spec.uses(Place::split_prefill) || parts.cloud_local != nullptr,
        "a split prompt is read by the device's model");
}

}  // namespace

std::vector<Radio> load_radios(const DeviceSpec& spec, const std::filesystem::path& home) {
  std::vector<Radio> radios;
  for (const NetworkStretch& n : spec.networks) {
    radios.push_back(n.radio == "none" ? Radio{} : load_radio(n.radio, home));
  }
  return radios;
}

std::vector<Request> take_requests(RequestSource& source, std::size_t limit) {
  std::vector<Request> requests;
  while (requests.size() < limit) {
    const auto request = source.next();
    if (!request) break;
    requests.push_back(*request);
  }
  return requests;
}

DeviceResult simulate_device(const DeviceSpec& spec, const DeviceParts& parts,
                             std::span<const Request> requests, std::uint64_t seed) {
  check_parts(spec, parts);
  const std::vector<Job> jobs = jobs_of(spec, requests, seed);
  DeviceResult result;
  result.policies.resize(spec.policies.size());
  parallel_each(spec.policies.size(), [&](std::size_t i) {
    result.policies[i] = PolicyRun(spec, parts, spec.policies[i], jobs, seed).go();
  });
  return result;
}

}  // namespace presil::serving
