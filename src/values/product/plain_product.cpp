#include "values/product/plain_product.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"

namespace presil {
namespace {

constexpr int kSmallestQuantum = -126;  // exponent of the smallest normal fp32 number

float sum_in_order(std::span<const float> products) {
  float sum = 0;
  for (const float p : products) sum += p;
  return sum;
}

float sum_of_trees(std::span<const float> products, std::int64_t group) {
  const auto width = static_cast<std::size_t>(group);
  float sum = 0;
  for (std::size_t at = 0; at < products.size(); at += width) {
    std::vector<float> p(width, 0.0f);  // a short group is filled up with zeros
    for (std::size_t i = 0; i < std::min(width, products.size() - at); ++i) p[i] = products[at + i];
    for (std::size_t half = width / 2; half > 0; half /= 2) {
      for (std::size_t i = 0; i < half; ++i) p[i] += p[i + half];
    }
    sum += p[0];
  }
  return sum;
}

/// Adds a group of products to a running sum: all are cut to multiples of one power of two.
float add_aligned(const Accumulator& accumulator, float sum, std::span<const float> products) {
  float largest = std::fabs(sum);
  for (const float p : products) largest = std::fmax(largest, std::fabs(p));
  if (!std::isfinite(largest)) return std::numeric_limits<float>::quiet_NaN();
  const int largest_exponent = largest == 0 ? kSmallestQuantum : std::ilogb(largest);
  const int bits = static_cast<int>(accumulator.bits);
  const double quantum = std::ldexp(1.0, std::max(largest_exponent - bits + 1, kSmallestQuantum));
  const auto cut = [&](float term) {
    return accumulator.rounding == Accumulator::Rounding::truncate ? std::trunc(term / quantum)
                                                                   : std::nearbyint(term / quantum);
  };
  double multiples = cut(sum);
  for (const float p : products) multiples += cut(p);
  return static_cast<float>(multiples * quantum);
}

float sum_aligned(const Accumulator& accumulator, std::span<const float> products) {
  const auto width = static_cast<std::size_t>(accumulator.group);
  float sum = 0;
  for (std::size_t at = 0; at < products.size(); at += width) {
    sum =
        add_aligned(accumulator, sum, products.subspan(at, std::min(width, products.size() - at)));
  }
  return sum;
}

/// Exact where it fits 32 bits, as it does for up to 133,144 products of int8; then it wraps.
float sum_integers(std::span<const float> products) {
  std::uint32_t sum = 0;
  for (const float p : products) sum += static_cast<std::uint32_t>(static_cast<std::int32_t>(p));
  return static_cast<float>(static_cast<std::int32_t>(sum));
}

}  // namespace

float plain_sum(const Accumulator& accumulator, std::span<const float> a,
                std::span<const float> b) {
  std::vector<float> products(a.size());
  std::transform(a.begin(), a.end(), b.begin(), products.begin(), std::multiplies<>());
  switch (accumulator.kind) {
    case Accumulator::Kind::fp32:
      return accumulator.order == Accumulator::Order::sequential
                 ? sum_in_order(products)
                 : sum_of_trees(products, accumulator.group);
    case Accumulator::Kind::aligned:
      return sum_aligned(accumulator, products);
    case Accumulator::Kind::int32:
      return sum_integers(products);
  }
  throw InternalError("an accumulator that is none");
}

std::vector<float> plain_product(const Accumulator& accumulator, KTiling tiling,
                                 const CodedRows& activations, const CodedRows& weights) {
  const std::vector<Segment> segments = cut_into_segments(
      weights.columns, tiling, accumulator.promote_every, activations.span, weights.span);
  std::vector<float> out;
  for (std::int64_t m = 0; m < activations.rows; ++m) {
    for (std::int64_t n = 0; n < weights.rows; ++n) {
      float total = 0;
      float core = 0;
      for (const Segment& s : segments) {
        const auto begin = static_cast<std::size_t>(s.begin);
        const auto count = static_cast<std::size_t>(s.end - s.begin);
        const float sum = plain_sum(accumulator, activations.codes_of(m).subspan(begin, count),
                                    weights.codes_of(n).subspan(begin, count));
        const float scale =
            weights.scales_of(n)[static_cast<std::size_t>(s.begin / weights.span)] *
            activations.scales_of(m)[static_cast<std::size_t>(s.begin / activations.span)];
        core += sum * scale;
        if (s.ends_core) {
          total += core;
          core = 0;
        }
      }
      out.push_back(total);
    }
  }
  return out;
}

}  // namespace presil
