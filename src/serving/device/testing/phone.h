// For tests: a phone, a network and a service with numbers that are easy to reckon with.
#pragma once

#include "serving/device/simulate.h"

namespace presil::serving::testing {

/// A step takes `base` and `per_token` for each new token, at `power`; contexts cost nothing.
class PlainCosts : public StepCosts {
 public:
  PlainCosts(Nanoseconds base, Nanoseconds per_token, Watts power)
      : base_(base), per_token_(per_token), power_(power) {}

  StepCost cost(const StepFeatures& step) const override {
    StepCost c;
    c.time = base_ + per_token_ * step.tokens();
    c.interval = c.time;
    c.energy_j = power_.count() * to_seconds(c.time).count();
    return c;
  }

 private:
  Nanoseconds base_, per_token_;
  Watts power_;
};

constexpr Nanoseconds ms(std::int64_t count) {
  return Nanoseconds(count * 1'000'000);
}

/// No jitter, no loss: 20 ms each way, 8 Mb/s up and down, 1 s of tail at 1 W, 1 J/MB.
inline Radio plain_radio() {
  Radio r;
  r.name = "plain";
  r.latency = ms(20);
  r.up = r.down = BitsPerSecond(8e6);
  r.idle = Watts(0.01);
  r.active = Watts(1.5);
  r.up_energy = r.down_energy = JoulesPerBit(1 / 8e6);
  r.promotion = {ms(100), Watts(1)};
  r.tail = {ms(1000), Watts(1)};
  return r;
}

/// 10 + 1 ms a token at 5 W on the device, 5 + 0.01 ms in the cloud; nothing throttles.
struct Phone {
  PlainCosts local{ms(10), ms(1), Watts(5)};
  PlainCosts cloud{ms(5), Nanoseconds(10'000), Watts(500)};
  DeviceSpec spec;
  DeviceParts parts;

  Phone() {
    spec.rest = Watts(1);
    spec.thermal.skin = {KelvinPerWatt(4), Seconds(100), Celsius(200)};
    spec.thermal.die = {KelvinPerWatt(5), Seconds(2), Celsius(200)};
    spec.networks = {{"plain", Seconds(3600)}};
    spec.cloud.emplace();
    spec.cloud->batch = 1;
    spec.cloud->wait = Nanoseconds(0);
    parts.local = &local;
    parts.encoder = &local;
    parts.cloud = parts.cloud_local = parts.cloud_encoder = &cloud;
    parts.local_idle = Watts(0.5);
    parts.kv_per_token = Bytes(1000);
    parts.prompt_price = Usd(1);
    parts.output_price = Usd(3);
    parts.radios = {plain_radio()};
  }

  /// A policy that runs everything at `place`.
  void add_policy(Place place) {
    Policy policy;
    policy.name = std::string(to_string(place));
    policy.rules.emplace_back().run = place;
    spec.policies.push_back(policy);
  }
};

inline Request request_of(std::int64_t id, Nanoseconds arrival, std::int64_t prompt,
                          std::int64_t output) {
  Request r;
  r.id = id;
  r.arrival = arrival;
  r.prompt_tokens = prompt;
  r.output_tokens = output;
  return r;
}

}  // namespace presil::serving::testing
