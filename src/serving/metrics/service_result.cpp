#include "serving/metrics/service_result.h"

#include <algorithm>

namespace presil::serving {

bool ServiceResult::meets_slo() const {
  const auto met = [](const SloCheck& check) { return check.met; };
  return counts.turned_away == 0 && std::all_of(slo.begin(), slo.end(), met);
}

}  // namespace presil::serving
