#include "cycles/resource.h"

#include <algorithm>

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

}  // namespace presil
