// For tests: floats and matrices that are drawn from a seed.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "model/weights.h"

namespace presil::testing {

/// Bits of our own shaping, so that a seed gives the same numbers everywhere.
class NumberSource {
 public:
  explicit NumberSource(std::uint64_t seed) : bits_(seed) {}

  std::int64_t below(std::int64_t end) {
    return static_cast<std::int64_t>(bits_() % static_cast<std::uint64_t>(end));
  }

  template <class T>
  T one_of(const std::vector<T>& choices) {
    return choices[static_cast<std::size_t>(below(std::ssize(choices)))];
  }

  /// Between -1 and 1.
  float even() { return static_cast<float>(below(1 << 24) - (1 << 23)) * 0x1p-23f; }

  /// Many magnitudes: an even number times up to 2^spread or down to 2^-spread.
  float wide(int spread) {
    return std::ldexp(even(), static_cast<int>(below(2 * spread + 1)) - spread);
  }

  /// Any float at all, NaNs and infinities too.
  float any() { return std::bit_cast<float>(static_cast<std::uint32_t>(bits_())); }

  std::vector<float> wide_numbers(std::int64_t count, int spread) {
    std::vector<float> numbers(static_cast<std::size_t>(count));
    for (float& x : numbers) x = wide(spread);
    return numbers;
  }

 private:
  std::mt19937_64 bits_;
};

/// An fp32 matrix in memory, as a tensor of a file.
struct FloatMatrix {
  std::vector<float> values;
  WeightTensor tensor;

  FloatMatrix(std::int64_t rows, std::int64_t columns, std::vector<float> v)
      : values(std::move(v)) {
    tensor.shape = {rows, columns};
    tensor.data = std::as_bytes(std::span(values));
  }
};

}  // namespace presil::testing
