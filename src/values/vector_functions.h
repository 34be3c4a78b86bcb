// exp, 1/sqrt and SiLU, as a chip's vector engines compute them.
//
// exact: the C library's functions in fp32. table: a table of `entries` over one binade, and a
// straight line between two of them, in fp32:
//   exp(x)  = 2^n * t(f), where x * log2(e) = n + f and t is 2^f on [0, 1)
//   rsqrt(x) = 2^-e * t(m), where x = m * 4^e, t is 1/sqrt(m) on [1, 2), and on [2, 4) it is
//              t(m / 2) * fp32(1/sqrt(2))
//   silu(x) = x / (1 + exp(-x)) with that exp and an exact division.
#pragma once

#include <vector>

#include "base/numerics.h"

namespace presil {

class VectorUnit {
 public:
  /// Requires entries that are a power of two.
  explicit VectorUnit(const VectorFunctions& functions = {});

  float exp(float x) const;
  float rsqrt(float x) const;  // of a number above 0
  float silu(float x) const;

 private:
  bool is_exact_;
  std::vector<float> exp2_;   // 2^(i / entries), one more than entries
  std::vector<float> rsqrt_;  // 1 / sqrt(1 + i / entries), one more than entries
};

}  // namespace presil
