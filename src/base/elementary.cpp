#include "base/elementary.h"

#include <cmath>
#include <limits>

namespace presil {
namespace {

// ln 2 in two parts: the first has 21 zero bits at its end, so that its product with an exponent is
// exact.
constexpr double kLn2High = 6.93147180369123816490e-01;
constexpr double kLn2Low = 1.90821492927058770002e-10;
constexpr double kTwoPi = 6.28318530717958647693;

}  // namespace

double log_of(double x) {
  int exponent = 0;
  double m = std::frexp(x, &exponent);  // exact; m in [0.5, 1)
  if (m < 0.70710678118654752440) {
    m *= 2;
    --exponent;
  }
  // ln m = 2 atanh((m - 1) / (m + 1)); |s| < 0.172, so that s^24 / 25 is below 1e-19.
  const double s = (m - 1) / (m + 1);
  const double s2 = s * s;
  double series = 0;
  for (int k = 23; k >= 3; k -= 2) series = (series + 1.0 / k) * s2;
  return exponent * kLn2High + (2 * s + (2 * s * series + exponent * kLn2Low));
}

double exp_of(double x) {
  if (x < -708) return 0;
  if (x > 709) return std::numeric_limits<double>::infinity();
  const double n = std::floor(x / kLn2High + 0.5);
  const double r = (x - n * kLn2High) - n * kLn2Low;  // |r| < 0.35: r^16 / 16! is below 1e-20
  double series = 1;
  for (int k = 15; k >= 1; --k) series = 1 + r * series / k;
  return std::ldexp(series, static_cast<int>(n));
}

double cos_of_turns(double turns) {
  const double u = std::abs(turns - std::floor(turns + 0.5));  // in [0, 0.5]
  if (u > 0.25) return -cos_of_turns(0.5 - u);
  const double x2 = (kTwoPi * u) * (kTwoPi * u);  // below 2.5: x^24 / 24! is below 1e-19
  double series = 1;
  for (int k = 22; k >= 2; k -= 2) series = 1 - x2 * series / (k * (k - 1));
  return series;
}

}  // namespace presil
