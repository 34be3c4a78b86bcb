// Numbers that remember their unit.
//
// A Quantity is a number tagged with its dimension, so bytes add to bytes and never to seconds.
// Counts (bytes, picoseconds) are 64-bit integers; rates, energies and prices are doubles.
// GB is 10^9 bytes, GiB is 2^30 bytes, everywhere.
#pragma once

#include <compare>
#include <cstdint>

namespace presil {

enum class Dimension {
  bytes,
  picoseconds,
  nanoseconds,
  seconds,
  per_second,
  hertz,
  bytes_per_second,
  bits_per_second,
  bytes_per_cycle,
  cycles,
  watts,
  joules,
  joules_per_bit,
  usd,
  usd_per_gigabyte,
  usd_per_kilowatt_hour,
  square_millimetres,
  per_square_centimetre,
  millimetres,
  volts,
  flops_per_second,
  celsius,
  kelvin_per_watt,
};

template <Dimension D, class Rep>
class Quantity {
 public:
  using rep = Rep;
  static constexpr Dimension dimension = D;

  constexpr Quantity() = default;
  explicit constexpr Quantity(Rep count) : count_(count) {}
  constexpr Rep count() const { return count_; }

  friend constexpr auto operator<=>(Quantity, Quantity) = default;
  friend constexpr Quantity operator+(Quantity a, Quantity b) {
    return Quantity(a.count_ + b.count_);
  }
  friend constexpr Quantity operator-(Quantity a, Quantity b) {
    return Quantity(a.count_ - b.count_);
  }
  friend constexpr Quantity operator*(Quantity a, Rep k) { return Quantity(a.count_ * k); }
  friend constexpr Quantity operator*(Rep k, Quantity a) { return Quantity(a.count_ * k); }
  friend constexpr Quantity operator/(Quantity a, Rep k) { return Quantity(a.count_ / k); }
  friend constexpr Rep operator/(Quantity a, Quantity b) { return a.count_ / b.count_; }
  constexpr Quantity& operator+=(Quantity b) { return *this = *this + b; }
  constexpr Quantity& operator-=(Quantity b) { return *this = *this - b; }

 private:
  Rep count_{};
};

using Bytes = Quantity<Dimension::bytes, std::int64_t>;
using Picoseconds = Quantity<Dimension::picoseconds, std::int64_t>;
using Nanoseconds = Quantity<Dimension::nanoseconds, std::int64_t>;
using Seconds = Quantity<Dimension::seconds, double>;
using PerSecond = Quantity<Dimension::per_second, double>;  // a rate of requests
using Hertz = Quantity<Dimension::hertz, double>;
using BytesPerSecond = Quantity<Dimension::bytes_per_second, double>;
using BitsPerSecond = Quantity<Dimension::bits_per_second, double>;
using BytesPerCycle = Quantity<Dimension::bytes_per_cycle, double>;
using FlopsPerSecond = Quantity<Dimension::flops_per_second, double>;
using Watts = Quantity<Dimension::watts, double>;
using Joules = Quantity<Dimension::joules, double>;
using JoulesPerBit = Quantity<Dimension::joules_per_bit, double>;
using Usd = Quantity<Dimension::usd, double>;
using UsdPerGigabyte = Quantity<Dimension::usd_per_gigabyte, double>;
using UsdPerKilowattHour = Quantity<Dimension::usd_per_kilowatt_hour, double>;
using SquareMillimetres = Quantity<Dimension::square_millimetres, double>;
using PerSquareCentimetre = Quantity<Dimension::per_square_centimetre, double>;
using Millimetres = Quantity<Dimension::millimetres, double>;
using Celsius = Quantity<Dimension::celsius, double>;  // a temperature, or a difference of two
using KelvinPerWatt = Quantity<Dimension::kelvin_per_watt, double>;
using Volts = Quantity<Dimension::volts, double>;

constexpr Seconds to_seconds(Picoseconds t) {
  return Seconds(static_cast<double>(t.count()) * 1e-12);
}

constexpr Seconds to_seconds(Nanoseconds t) {
  return Seconds(static_cast<double>(t.count()) * 1e-9);
}

/// 11 days. No event is that long; a duration that would be is cut to it, so that a few of them add
/// up within 64 bits.
inline constexpr Picoseconds kLongestDuration(1'000'000'000'000'000'000);

/// Rounds up: an event is never reported before it happened.
constexpr Picoseconds to_picoseconds(Seconds t) {
  const double ps = t.count() * 1e12;
  if (ps >= static_cast<double>(kLongestDuration.count())) return kLongestDuration;
  const auto whole = static_cast<std::int64_t>(ps);
  return Picoseconds(static_cast<double>(whole) < ps ? whole + 1 : whole);
}

/// Rounds up, as to_picoseconds does.
constexpr Nanoseconds to_nanoseconds(Picoseconds t) {
  return Nanoseconds(t.count() / 1000 + (t.count() % 1000 > 0 ? 1 : 0));
}

/// 146 years of nanoseconds; what would be longer is cut to it.
inline constexpr Nanoseconds kLongestService(4'611'686'018'427'387'904);

/// Rounds up.
constexpr Nanoseconds to_nanoseconds(Seconds t) {
  const double ns = t.count() * 1e9;
  if (ns >= static_cast<double>(kLongestService.count())) return kLongestService;
  const auto whole = static_cast<std::int64_t>(ns);
  return Nanoseconds(static_cast<double>(whole) < ns ? whole + 1 : whole);
}

/// The time `amount` takes at `rate`, rounded up to a picosecond. Requires rate > 0.
constexpr Picoseconds duration(Bytes amount, BytesPerSecond rate) {
  return to_picoseconds(Seconds(static_cast<double>(amount.count()) / rate.count()));
}

/// An estimate and how far it may be off. Invariant kept by the readers: low <= typical <= high.
struct Band {
  double low = 0;
  double typical = 0;
  double high = 0;

  friend constexpr bool operator==(const Band&, const Band&) = default;
  friend constexpr Band operator+(Band a, Band b) {
    return {a.low + b.low, a.typical + b.typical, a.high + b.high};
  }
  friend constexpr Band operator*(Band a, double k) {
    return {a.low * k, a.typical * k, a.high * k};
  }
  /// End by end: both low at once, both high at once.
  friend constexpr Band operator*(Band a, Band b) {
    return {a.low * b.low, a.typical * b.typical, a.high * b.high};
  }
  constexpr Band& operator+=(Band b) { return *this = *this + b; }
};

inline namespace literals {
constexpr Bytes operator""_B(unsigned long long n) {
  return Bytes(static_cast<std::int64_t>(n));
}
constexpr Bytes operator""_KiB(unsigned long long n) {
  return Bytes(static_cast<std::int64_t>(n) << 10);
}
constexpr Bytes operator""_MiB(unsigned long long n) {
  return Bytes(static_cast<std::int64_t>(n) << 20);
}
constexpr Bytes operator""_GiB(unsigned long long n) {
  return Bytes(static_cast<std::int64_t>(n) << 30);
}
constexpr Picoseconds operator""_ps(unsigned long long n) {
  return Picoseconds(static_cast<std::int64_t>(n));
}
constexpr Picoseconds operator""_ns(unsigned long long n) {
  return Picoseconds(static_cast<std::int64_t>(n) * 1000);
}
constexpr Picoseconds operator""_us(unsigned long long n) {
  return Picoseconds(static_cast<std::int64_t>(n) * 1000000);
}
}  // namespace literals

}  // namespace presil
