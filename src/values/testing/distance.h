// For tests: how far apart logits are.
#pragma once

#include <cmath>
#include <cstddef>

namespace presil::testing {

/// ||a - b|| / ||b||.
template <class A, class B>
double distance(const A& a, const B& b) {
  double difference = 0, norm = 0;
  for (std::size_t i = 0; i < b.size(); ++i) {
    difference += (a[i] - b[i]) * (a[i] - b[i]);
    norm += b[i] * b[i];
  }
  return std::sqrt(difference / norm);
}

}  // namespace presil::testing
