// Heat: what power does to the temperatures of a device's skin and die, and the governor that
// lowers the clock before somebody burns a finger.
//
// Each temperature is a lumped resistance and capacity: constant power P moves it towards
// (what it stands on) + P x resistance with the time constant given, exactly exponential, so the
// steps of a simulation may be as long as the power is constant. The skin stands on the air and
// takes all power; the die stands on the skin and takes the chip's.
#pragma once

#include <vector>

#include "base/units.h"

namespace presil::serving {

struct ThermalStage {
  KelvinPerWatt resistance;
  Seconds time_constant;
  Celsius limit;  // above it the governor goes to a lower level
};

/// One of the clocks that a governor may choose; memory is slowed with the chip.
struct ClockLevel {
  double speed = 1;   // of the full clock
  double energy = 1;  // of an operation, of that at the full clock: voltage falls with the clock
};

struct ThermalSpec {
  Celsius ambient{25};
  ThermalStage skin, die;
  Celsius hysteresis{2};               // below the limit by so much before it goes up again
  Seconds period{5};                   // at least, between two changes
  std::vector<ClockLevel> levels{{}};  // from the fastest down; never empty
};

class Thermometer {
 public:
  explicit Thermometer(const ThermalSpec& spec) : spec_(spec) {}

  /// `chip` of `total` was drawn in the chip, for `time`.
  void spend(Watts total, Watts chip, Seconds time);

  Celsius skin() const { return spec_.ambient + skin_above_; }
  Celsius die() const { return skin() + die_above_; }
  const ThermalSpec& spec() const { return spec_; }

 private:
  ThermalSpec spec_;
  Celsius skin_above_;  // the air
  Celsius die_above_;   // the skin
};

class Governor {
 public:
  /// The level for work that starts now: an index into spec.levels.
  std::size_t choose(const Thermometer& thermometer, Nanoseconds now);
  std::size_t level() const { return level_; }

 private:
  std::size_t level_ = 0;
  Nanoseconds next_change_;
};

}  // namespace presil::serving
