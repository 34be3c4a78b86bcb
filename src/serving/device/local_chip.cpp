#include "serving/device/local_chip.h"

#include <algorithm>

#include "base/error.h"

namespace presil::serving {

LocalChip::LocalChip(const StepCosts& costs, const StepCosts* encoder, Watts idle,
                     std::int64_t prefill_chunk)
    : costs_(costs), encoder_(encoder), idle_(idle), prefill_chunk_(prefill_chunk) {}

StepCost LocalChip::cost_of(const Burst& burst, LocalStep& step) const {
  StepFeatures features;
  if (burst.frames > 0) {
    CHECK(encoder_ != nullptr, "speech has an encoder");
    step.work = LocalWork::encode;
    features.add_prefill(burst.frames, 0);
    return encoder_->cost(features);
  }
  if (burst.prompt > 0) {
    step.work = LocalWork::read;
    const std::int64_t chunk = std::min(burst.prompt, prefill_chunk_);
    step.writes = chunk == burst.prompt && burst.tokens > 0;
    features.add_prefill(chunk, burst.context);
    return costs_.cost(features);
  }
  if (burst.tokens > 0) {
    step.work = LocalWork::write;
    step.writes = true;
    features.add_decode(1, burst.context);
    return costs_.cost(features);
  }
  step.work = LocalWork::speak;
  StepCost cost;
  cost.time = to_nanoseconds(burst.synthesis);
  cost.energy_j = (burst.synthesis_power + idle_).count() * burst.synthesis.count();
  return cost;
}

LocalStep LocalChip::start(const ClockLevel& level) {
  CHECK(!bursts_.empty(), "a step belongs to a burst");
  running_ = LocalStep{};
  const StepCost cost = cost_of(bursts_.front(), running_);
  const double full_s = to_seconds(cost.time).count();
  running_.time = level.speed == 1 ? cost.time : to_nanoseconds(Seconds(full_s / level.speed));
  const double time_s = to_seconds(running_.time).count();
  const double work_j = std::max(0.0, cost.energy_j - idle_.count() * full_s) * level.energy;
  running_.power = idle_ + Watts(time_s > 0 ? work_j / time_s : 0);
  return running_;
}

LocalChip::Ended LocalChip::end() {
  Burst& burst = bursts_.front();
  switch (running_.work) {
    case LocalWork::encode:
      burst.frames = 0;
      break;
    case LocalWork::read: {
      const std::int64_t chunk = std::min(burst.prompt, prefill_chunk_);
      burst.prompt -= chunk;
      burst.context += chunk;
      if (running_.writes) --burst.tokens;
      break;
    }
    case LocalWork::write:
      --burst.tokens;
      ++burst.context;
      break;
    case LocalWork::speak:
      burst.synthesis = Seconds(0);
      break;
  }
  Ended ended{running_, burst, false};
  ended.last =
      burst.frames == 0 && burst.prompt == 0 && burst.tokens == 0 && burst.synthesis == Seconds(0);
  if (ended.last) bursts_.pop_front();
  return ended;
}

}  // namespace presil::serving
