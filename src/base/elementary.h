// Logarithm, exponential and cosine from additions and multiplications only, so that they give the
// same bits on every machine; the C library's differ between versions. Within 4 units of the last
// place of the exact value.
#pragma once

namespace presil {

/// The natural logarithm. Requires a finite x > 0.
double log_of(double x);

/// e to the power x; 0 below -708, +infinity above 709.
double exp_of(double x);

/// The cosine of `turns` full turns: 1 at 0, -1 at 0.5. Requires |turns| below 2^52.
double cos_of_turns(double turns);

}  // namespace presil
