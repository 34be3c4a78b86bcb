// fp32 operations of the vector engine, counted from the operators' formulas.
#pragma once

#include <cstdint>

namespace presil {

inline constexpr std::int64_t kNormFlops = 4;        // an element: square, add, scale, weight
inline constexpr std::int64_t kRopeFlops = 3;        // an element: two multiplies, one add
inline constexpr std::int64_t kSwigluFlops = 4;      // a pair: negate, add, divide, multiply
inline constexpr std::int64_t kGeluFlops = 8;        // x and x^3 by tanh: 5, and 3 around the exp
inline constexpr std::int64_t kSoftmaxFlops = 4;     // a score: scale, max, subtract, add
inline constexpr std::int64_t kQuantiseFlops = 4;    // an activation: absolute, max, scale, round
inline constexpr std::int64_t kDequantiseFlops = 2;  // a weight, key or value: multiply, add
inline constexpr std::int64_t kScaleFlops = 2;       // a segment's sum: scale, add
inline constexpr std::int64_t kCombineFlops = 2;     // a pair's element: weight, add
inline constexpr std::int64_t kCutFlops = 8;         // a logit: a search by halves for the cut
inline constexpr std::int64_t kBlockDotFlops = 3;    // 32 products of integers: scale, scale, add

}  // namespace presil
