#include "serving/device/cloud.h"

#include <algorithm>

namespace presil::serving {

CloudWork Cloud::step(StepFeatures features, std::int64_t own_tokens) const {
  const std::int64_t others = spec_.batch - 1;
  if (others > 0) {
    features.decode_sequences += others;
    features.decode_tokens += others;
    features.decode_context += others * spec_.context;
    features.longest_context = std::max(features.longest_context, spec_.context);
  }
  const StepCost cost = costs_.cost(features);
  const double share = static_cast<double>(own_tokens) / static_cast<double>(features.tokens());
  return {cost.time, cost.energy_j * share};
}

CloudWork Cloud::read(std::int64_t tokens, std::int64_t context) const {
  CloudWork sum;
  while (tokens > 0) {
    const std::int64_t chunk = std::min(tokens, spec_.prefill_chunk);
    StepFeatures features;
    features.add_prefill(chunk, context);
    const CloudWork work = step(features, chunk);
    sum.time += work.time;
    sum.energy_j += work.energy_j;
    tokens -= chunk;
    context += chunk;
  }
  return sum;
}

CloudWork Cloud::write(std::int64_t context) const {
  StepFeatures features;
  features.add_decode(1, context);
  return step(features, 1);
}

CloudWork Cloud::check(std::int64_t drafted, std::int64_t context) const {
  StepFeatures features;
  features.add_prefill(drafted + 1, context);
  return step(features, drafted + 1);
}

}  // namespace presil::serving
