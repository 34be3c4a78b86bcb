#include "serving/device/body.h"

#include <algorithm>

namespace presil::serving {
namespace {

constexpr std::size_t kMostSamples = 300;

}  // namespace

Body::Body(const ThermalSpec& thermal, const std::optional<Battery>& battery, Watts rest,
           Watts chip_idle, std::vector<RadioLink> links)
    : thermometer_(thermal),
      battery_(battery),
      rest_(rest),
      chip_idle_(chip_idle),
      links_(std::move(links)),
      hottest_skin_(thermal.ambient),
      hottest_die_(thermal.ambient) {}

void Body::set_chip(bool running, Watts power) {
  running_ = running;
  chip_power_ = power;
}

double Body::battery_left() const {
  if (!battery_) return 1;
  if (empty_) return 0;
  return std::max(0.0, battery_->charge - energy_.total() / battery_->capacity);
}

Watts Body::radio_power() const {
  Watts sum;
  for (const RadioLink& link : links_) sum += link.power(now_);
  return sum;
}

bool Body::advance(Nanoseconds until) {
  while (now_ < until && !empty_) {
    const Watts chip = running_ ? chip_power_ : chip_idle_;
    const Watts power = chip + rest_ + radio_power();
    if (now_ >= next_sample_) sample(power);
    Nanoseconds next = std::min(until, next_sample_);
    for (const RadioLink& link : links_) next = std::min(next, link.changes_at(now_));
    Seconds time = to_seconds(next - now_);
    if (battery_ && power > Watts(0)) {
      const double left = battery_->charge * battery_->capacity.count() - energy_.total().count();
      if (left <= power.count() * time.count()) {
        time = Seconds(std::max(0.0, left) / power.count());
        next = std::min(next, now_ + to_nanoseconds(time));
        empty_ = true;
      }
    }
    spend(time);
    now_ = next;
  }
  return !empty_;
}

void Body::spend(Seconds time) {
  const Watts chip = running_ ? chip_power_ : chip_idle_;
  const Watts radio = radio_power();
  const auto joules = [&](Watts power) { return Joules(power.count() * time.count()); };
  (running_ ? energy_.compute : energy_.idle) += joules(chip);
  energy_.idle += joules(rest_);
  energy_.radio += joules(radio);
  thermometer_.spend(chip + rest_ + radio, chip, time);
  hottest_skin_ = std::max(hottest_skin_, thermometer_.skin());
  hottest_die_ = std::max(hottest_die_, thermometer_.die());
}

void Body::sample(Watts power) {
  if (samples_.size() == kMostSamples) {  // keep every other one, and go on half as often
    for (std::size_t i = 0; i < kMostSamples / 2; ++i) samples_[i] = samples_[2 * i];
    samples_.resize(kMostSamples / 2);
    sample_every_ = sample_every_ * 2;
  }
  const ThermalSpec& spec = thermometer_.spec();
  samples_.push_back({to_seconds(now_).count(), thermometer_.skin().count(),
                      thermometer_.die().count(), battery_left(),
                      spec.levels[governor_.level()].speed, power.count()});
  next_sample_ = Nanoseconds((now_.count() / sample_every_.count() + 1) * sample_every_.count());
}

}  // namespace presil::serving
