// Random numbers by number: draw `which` of sample `sample` is a function of the two and the seed,
// so that samples can be computed in any order, on any number of threads.
#pragma once

#include <cstdint>

#include "base/units.h"

namespace presil {

/// Uniform in (0, 1): three rounds of splitmix64's finaliser (Steele, Lea, Flood 2014) over seed,
/// sample and draw, of which the top 53 bits are taken.
double uniform_draw(std::uint64_t seed, std::uint64_t sample, std::uint64_t which);

/// The value of the triangular distribution from band.low over its peak at band.typical to
/// band.high, below which a share `u` of it lies.
double triangular(const Band& band, double u);

}  // namespace presil
