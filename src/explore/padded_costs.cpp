#include "explore/padded_costs.h"

#include <algorithm>
#include <bit>

#include "base/integers.h"

namespace presil {

namespace {

/// The least power of two that is not below `n`. Requires n > 0.
std::int64_t next_power(std::int64_t n) {
  return static_cast<std::int64_t>(std::bit_ceil(static_cast<std::uint64_t>(n)));
}

}  // namespace

std::int64_t padded_tokens(std::int64_t tokens) {
  const std::int64_t power = next_power(tokens);
  return power <= 128 ? power : round_up(tokens, power / 8);
}

std::int64_t padded_context(std::int64_t tokens) {
  if (tokens == 0) return 0;
  const std::int64_t power = next_power(std::max<std::int64_t>(tokens, 64));
  return tokens <= power / 4 * 3 && power > 64 ? power / 4 * 3 : power;
}

serving::StepCost PaddedCosts::cost(const serving::StepFeatures& step) const {
  const std::int64_t longest = deployment_.prepared.model.max_context;
  const auto read =
      step.prefill_sequences > 0 ? std::min(padded_tokens(step.prefill_tokens), longest) : 0;
  const auto writing = step.decode_sequences;
  const auto mean = writing > 0 ? ceil_div(step.decode_context, writing) : 0;
  const auto before = std::min(padded_context(step.prefill_context), longest - read);
  const auto context = std::min(padded_context(mean), longest - 1);
  const Key key{read, read > 0 ? before : 0, writing, writing > 0 ? context : 0};

  const std::lock_guard lock(mutex_);
  if (const auto known = known_.find(key); known != known_.end()) return known->second;
  Step timed;
  if (read > 0) timed.sequences.push_back({read, before});
  timed.sequences.insert(timed.sequences.end(), static_cast<std::size_t>(writing), {1, context});
  const auto cost = time_step_of(deployment_, timed);
  if (!cost) throw InputError(cost.error().reason);
  return known_.emplace(key, cost->cost).first->second;
}

std::size_t PaddedCosts::points() const {
  const std::lock_guard lock(mutex_);
  return known_.size();
}

}  // namespace presil
