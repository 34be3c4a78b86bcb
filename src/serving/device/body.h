// What of a device is not its chip: case, battery, radios, and the screen and all else that draws.
//
// A body lives through time in stretches of constant power. It adds up where the energy went, warms
// up, and ends when the battery is empty.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "serving/device/radio_link.h"
#include "serving/device/thermal.h"

namespace presil::serving {

struct Battery {
  Joules capacity;
  double charge = 1;  // at the start, of the capacity
};

struct DeviceEnergy {
  Joules compute;  // of the steps that ran on the chip
  Joules radio;
  Joules idle;  // the chip between steps, and all else in the device
  Joules total() const { return compute + radio + idle; }
};

/// A look at the body, for plots.
struct BodySample {
  double t_s = 0;
  double skin_c = 0, die_c = 0;
  double battery = 0;  // share left; 1 without a battery
  double speed = 1;    // the level's
  double power_w = 0;
};

class Body {
 public:
  /// `rest`: drawn by all but chip and radios; `chip_idle`: by the chip between steps.
  Body(const ThermalSpec& thermal, const std::optional<Battery>& battery, Watts rest,
       Watts chip_idle, std::vector<RadioLink> links);

  /// The chip draws `power` for a step at `level` from now on; `running` false: idles again.
  void set_chip(bool running, Watts power);

  /// Lives until `until`, or until the battery is empty. False when it is.
  bool advance(Nanoseconds until);

  Nanoseconds now() const { return now_; }
  bool empty() const { return empty_; }
  /// Share of the battery left; 1 without one.
  double battery_left() const;

  RadioLink& link(std::size_t number) { return links_[number]; }
  const std::vector<RadioLink>& links() const { return links_; }
  const Thermometer& thermometer() const { return thermometer_; }
  std::size_t level() const { return governor_.level(); }
  std::size_t choose_level() { return governor_.choose(thermometer_, now_); }

  const DeviceEnergy& energy() const { return energy_; }
  Celsius hottest_skin() const { return hottest_skin_; }
  Celsius hottest_die() const { return hottest_die_; }
  /// At most 300, evenly spaced.
  const std::vector<BodySample>& samples() const { return samples_; }

 private:
  void spend(Seconds time);
  void sample(Watts power);
  Watts radio_power() const;

  Thermometer thermometer_;
  Governor governor_;
  std::optional<Battery> battery_;
  Watts rest_, chip_idle_;
  std::vector<RadioLink> links_;

  Nanoseconds now_;
  bool running_ = false;
  Watts chip_power_;
  bool empty_ = false;
  DeviceEnergy energy_;
  Celsius hottest_skin_, hottest_die_;
  std::vector<BodySample> samples_;
  Nanoseconds sample_every_{1'000'000'000};
  Nanoseconds next_sample_;
};

}  // namespace presil::serving
