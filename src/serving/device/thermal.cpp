#include "serving/device/thermal.h"

#include "base/elementary.h"

namespace presil::serving {
namespace {

Celsius moved(Celsius above, const ThermalStage& stage, Watts power, Seconds time) {
  const double settled = power.count() * stage.resistance.count();
  const double left = exp_of(-(time / stage.time_constant));
  return Celsius(settled + (above.count() - settled) * left);
}

}  // namespace

void Thermometer::spend(Watts total, Watts chip, Seconds time) {
  skin_above_ = moved(skin_above_, spec_.skin, total, time);
  die_above_ = moved(die_above_, spec_.die, chip, time);
}

std::size_t Governor::choose(const Thermometer& thermometer, Nanoseconds now) {
  if (now < next_change_) return level_;
  const ThermalSpec& spec = thermometer.spec();
  const Celsius skin = thermometer.skin();
  const Celsius die = thermometer.die();
  const std::size_t before = level_;
  if (skin > spec.skin.limit || die > spec.die.limit) {
    if (level_ + 1 < spec.levels.size()) ++level_;
  } else if (skin < spec.skin.limit - spec.hysteresis && die < spec.die.limit - spec.hysteresis) {
    if (level_ > 0) --level_;
  }
  if (level_ != before) next_change_ = now + to_nanoseconds(spec.period);
  return level_;
}

}  // namespace presil::serving
