#include "program/moe.h"

#include <algorithm>
#include <cmath>

namespace presil {

ExpertLoad expert_load(const Kernel& kernel, const Step& step) {
  const Routing& r = kernel.routing;
  const auto experts = static_cast<double>(r.experts);
  const auto here = static_cast<double>(r.here);
  const auto tokens = static_cast<double>(r.joined * size_of({1, Symbol::T}, step, kernel.over));
  const auto chosen = static_cast<double>(r.per_token);

  ExpertLoad load;
  load.experts = r.here;
  load.n = kernel.extent(Axis::n).scale;
  load.k = kernel.extent(Axis::k).scale;
  const double pairs = tokens * chosen * here / experts * r.imbalance;
  load.pairs = static_cast<std::int64_t>(std::ceil(pairs));
  load.touched = std::min(here * (1 - std::pow(1 - chosen / experts, tokens)), pairs);
  load.rows = static_cast<std::int64_t>(std::ceil(pairs / load.touched - 1e-9));
  return load;
}

}  // namespace presil
