#include "cost/spread/draws.h"

#include <cmath>

namespace presil {
namespace {

constexpr std::uint64_t kGoldenGamma = 0x9e3779b97f4a7c15;

std::uint64_t mix(std::uint64_t x) {
  x += kGoldenGamma;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

}  // namespace

double uniform_draw(std::uint64_t seed, std::uint64_t sample, std::uint64_t which) {
  const std::uint64_t bits = mix(mix(mix(seed) ^ sample) ^ which);
  return (static_cast<double>(bits >> 11) + 0.5) * 0x1p-53;
}

double triangular(const Band& band, double u) {
  const double width = band.high - band.low;
  if (width <= 0) return band.typical;
  const double left = band.typical - band.low;
  if (u * width < left) return band.low + std::sqrt(u * width * left);
  return band.high - std::sqrt((1 - u) * width * (band.high - band.typical));
}

}  // namespace presil
