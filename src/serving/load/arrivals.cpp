#include "serving/load/arrivals.h"

#include "base/draws.h"
#include "base/elementary.h"
#include "base/error.h"
#include "serving/load/streams.h"

namespace presil::serving {
namespace {

/// The rate outside bursts over the mean rate, so that the mean is kept.
double calm_rate(const Arrivals& a) {
  return a.period.count() / (a.period.count() + (a.factor - 1) * a.length.count());
}

/// `at` within its period, in [0, 1).
double phase(Nanoseconds at, Seconds period) {
  const std::int64_t whole = to_nanoseconds(period).count();
  return static_cast<double>(at.count() % whole) / static_cast<double>(whole);
}

}  // namespace

double relative_rate(const Arrivals& a, Nanoseconds at) {
  switch (a.process) {
    case Process::poisson:
    case Process::gamma:
    case Process::constant:
      return 1;
    case Process::diurnal:
      return 1 +
             a.amplitude * cos_of_turns(phase(at, a.period) - a.peak.count() / a.period.count());
    case Process::burst:
      return calm_rate(a) *
             (phase(at, a.period) < a.length.count() / a.period.count() ? a.factor : 1);
  }
  return 1;
}

ArrivalProcess::ArrivalProcess(const Arrivals& arrivals, PerSecond rate, std::uint64_t seed)
    : arrivals_(arrivals),
      mean_gap_ns_(1e9 / rate.count()),
      highest_(highest_relative_rate()),
      seed_(seed) {}

double ArrivalProcess::highest_relative_rate() const {
  if (arrivals_.process == Process::diurnal) return 1 + arrivals_.amplitude;
  if (arrivals_.process == Process::burst) return calm_rate(arrivals_) * arrivals_.factor;
  return 1;
}

Nanoseconds ArrivalProcess::after(double gaps) {
  const double to_come = static_cast<double>((kLongestService - last_).count());
  const double gap = gaps * mean_gap_ns_ + 0.5;
  if (gap >= to_come) throw InputError("load: at this rate requests would come after 146 years");
  return last_ += Nanoseconds(static_cast<std::int64_t>(gap));
}

Nanoseconds ArrivalProcess::next() {
  switch (arrivals_.process) {
    case Process::poisson:
      return after(Draws(seed_, stream::arrival, drawn_++).exponential());
    case Process::gamma: {
      const double shape = 1 / (arrivals_.cv * arrivals_.cv);
      return after(Draws(seed_, stream::arrival, drawn_++).gamma(shape) / shape);
    }
    case Process::constant: {
      // Each from the start, so that the rounding of gaps does not add up.
      last_ = Nanoseconds(0);
      return after(static_cast<double>(drawn_++));
    }
    case Process::diurnal:
    case Process::burst:
      // Thinning (Lewis and Shedler 1979): candidates at the highest rate, of which some come.
      for (;;) {
        Draws draws(seed_, stream::arrival, drawn_++);
        const Nanoseconds candidate = after(draws.exponential() / highest_);
        if (draws.uniform() * highest_ < relative_rate(arrivals_, candidate)) return candidate;
      }
  }
  return kLongestService;
}

}  // namespace presil::serving
