#include "base/draws.h"

#include <cmath>

#include "base/elementary.h"

namespace presil {

std::uint64_t Draws::below(std::uint64_t count) {
  __extension__ using Wide = unsigned __int128;
  return static_cast<std::uint64_t>((Wide{bits()} * count) >> 64);
}

double Draws::exponential() {
  return -log_of(uniform());
}

// Marsaglia's polar method; the second number of the pair is not kept, so that a draw has no
// memory.
double Draws::normal() {
  for (;;) {
    const double x = 2 * uniform() - 1;
    const double y = 2 * uniform() - 1;
    const double s = x * x + y * y;
    if (s < 1 && s > 0) return x * std::sqrt(-2 * log_of(s) / s);
  }
}

// Marsaglia and Tsang 2000; a shape below 1 by their note: gamma(a) = gamma(a + 1) U^(1/a).
double Draws::gamma(double shape) {
  if (shape < 1) {
    const double power = log_of(uniform()) / shape;
    return gamma(shape + 1) * exp_of(power);
  }
  const double d = shape - 1.0 / 3;
  const double c = 1 / std::sqrt(9 * d);
  for (;;) {
    const double x = normal();
    const double root = 1 + c * x;
    if (root <= 0) continue;
    const double v = root * root * root;
    if (log_of(uniform()) < 0.5 * x * x + d - d * v + d * log_of(v)) return d * v;
  }
}

}  // namespace presil
