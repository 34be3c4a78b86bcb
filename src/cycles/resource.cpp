#include "cycles/resource.h"

#include <algorithm>
#include <numeric>

namespace presil {

std::string_view to_string(Resource resource) {
  switch (resource) {
    case Resource::dram:
      return "dram";
    case Resource::matrix:
      return "matrix";
    case Resource::vector:
      return "vector";
    case Resource::sram:
      return "sram";
    case Resource::noc:
      return "noc";
    case Resource::link:
      return "link";
    case Resource::launch:
      return "launch";
    case Resource::power:
      return "power";
    case Resource::die_link:
      return "die_link";
    case Resource::dma:
      return "dma";
  }
  return "";
}

Resource largest(const Charges& charges) {
  return static_cast<Resource>(std::max_element(charges.begin(), charges.end()) - charges.begin());
}

void add(Charges& sum, const Charges& more, std::int64_t times) {
  for (std::size_t r = 0; r < kResources; ++r) sum[r] += more[r] * times;
}

std::vector<std::pair<std::string_view, double>> shares_of(const Charges& charges) {
  const auto all = std::accumulate(charges.begin(), charges.end(), Picoseconds(0));
  std::vector<std::pair<std::string_view, double>> shares;
  for (std::size_t r = 0; r < kResources; ++r) {
    if (charges[r].count() == 0) continue;
    shares.emplace_back(to_string(static_cast<Resource>(r)),
                        to_seconds(charges[r]).count() / to_seconds(all).count());
  }
  return shares;
}

}  // namespace presil
