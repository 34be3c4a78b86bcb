// When requests come: random processes with a mean rate.
//
//   poisson   gaps are exponential
//   gamma     gaps are gamma with coefficient of variation cv: bursty above 1, even below
//   constant  gaps are all alike
//   diurnal   Poisson with rate x (1 + amplitude cos(2 pi (t - peak) / period))
//   burst     Poisson; in the first `length` of every `period` the rate is `factor` times the rest
#pragma once

#include <cstdint>

#include "base/units.h"

namespace presil::serving {

enum class Process { poisson, gamma, constant, diurnal, burst };

struct Arrivals {
  Process process = Process::poisson;
  double cv = 1;           // gamma
  Seconds period{86400};   // diurnal, burst
  double amplitude = 0.5;  // diurnal; at most 1
  Seconds peak{43200};     // diurnal
  Seconds length{3600};    // burst; below period
  double factor = 10;      // burst
};

/// The rate at `at` over the mean rate: 1 for processes that know no time.
double relative_rate(const Arrivals& arrivals, Nanoseconds at);

class ArrivalProcess {
 public:
  /// Requires rate > 0.
  ArrivalProcess(const Arrivals& arrivals, PerSecond rate, std::uint64_t seed);

  /// The next arrival, never before the last. Throws InputError when it would be 146 years away.
  Nanoseconds next();

 private:
  Nanoseconds after(double gaps);
  double highest_relative_rate() const;

  Arrivals arrivals_;
  double mean_gap_ns_;
  double highest_;
  std::uint64_t seed_;
  std::uint64_t drawn_ = 0;
  Nanoseconds last_;
};

}  // namespace presil::serving
