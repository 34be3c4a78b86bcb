// One point of the sweep: its sampled pods, scaled to the fleet they stand for.
#pragma once

#include <span>
#include <vector>

#include "fleet/fleet.h"
#include "fleet/plan.h"
#include "fleet/pod.h"

namespace presil::fleet {

/// The pods that were simulated: of kind k at site s, section j.
class PodSamples {
 public:
  PodSamples(std::size_t kinds, std::size_t sites, std::size_t sections)
      : sites_(sites), sections_(sections), pods_(kinds * sites * sections) {}

  std::size_t size() const { return pods_.size(); }
  std::size_t sections() const { return sections_; }
  std::size_t index(std::size_t kind, std::size_t site, std::size_t section) const {
    return (kind * sites_ + site) * sections_ + section;
  }
  PodResult& operator[](std::size_t index) { return pods_[index]; }
  const PodResult& operator[](std::size_t index) const { return pods_[index]; }
  const PodResult& at(std::size_t kind, std::size_t site, std::size_t section) const {
    return pods_[index(kind, site, section)];
  }

 private:
  std::size_t sites_, sections_;
  std::vector<PodResult> pods_;
};

/// What the samples say of a day, with everything that follows from chips' power, but no money.
/// Kinds, sites and samples are numbered alike; `replicas_per_pod` is that of each kind.
FleetPoint measure_day(const FleetSpec& spec, const FleetInput& input, std::span<const Kind> kinds,
                       std::span<const Site> sites, const PodSamples& samples,
                       std::span<const std::int64_t> replicas_per_pod);

}  // namespace presil::fleet
