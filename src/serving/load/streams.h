// What a load draws for: the second argument of Draws (base/draws.h).
#pragma once

#include <cstdint>

namespace presil::serving::stream {

inline constexpr std::uint64_t arrival = 1;
inline constexpr std::uint64_t prompt = 2;
inline constexpr std::uint64_t output = 3;
inline constexpr std::uint64_t group = 4;  // of requests that begin alike
inline constexpr std::uint64_t think = 5;
inline constexpr std::uint64_t text = 6;  // names of blocks

}  // namespace presil::serving::stream
