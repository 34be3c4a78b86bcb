// Random numbers that belong to what they are drawn for, not to when they are drawn.
//
// Draws(seed, stream, index) is the same sequence wherever and in whatever order it is made: the
// length of request 7 does not move when request 6 draws once more, nor with the number of
// threads. The bits are splitmix64's (Steele, Lea, Flood 2014); the distributions are our own, of
// exact operations and base/elementary.h, and give the same bytes on every machine.
#pragma once

#include <cstdint>

namespace presil {

/// splitmix64's finaliser: spreads any difference between two words over all bits.
constexpr std::uint64_t mix(std::uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
  return z ^ (z >> 31);
}

class Draws {
 public:
  /// `stream` says what for (arrivals, lengths, ...), `index` for which.
  constexpr Draws(std::uint64_t seed, std::uint64_t stream, std::uint64_t index)
      : state_(mix(mix(mix(seed + kStep) + stream + kStep) + index + kStep)) {}

  constexpr std::uint64_t bits() { return mix(state_ += kStep); }
  /// In (0, 1): neither end comes.
  constexpr double uniform() { return (static_cast<double>(bits() >> 12) + 0.5) * 0x1p-52; }
  /// Of 0 .. count - 1, all alike but for 2^-64. Requires count > 0.
  std::uint64_t below(std::uint64_t count);
  /// With mean 1.
  double exponential();
  /// With mean 0 and variance 1.
  double normal();
  /// With mean and variance `shape`. Requires shape > 0.
  double gamma(double shape);

 private:
  static constexpr std::uint64_t kStep = 0x9e3779b97f4a7c15U;
  std::uint64_t state_;
};

}  // namespace presil
