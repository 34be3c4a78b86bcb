// What the cluster draws random numbers for; no two draws share one of these.
#pragma once

#include <cstdint>

namespace presil::serving::streams {

inline constexpr std::uint64_t kClass = 0xc1a55;
inline constexpr std::uint64_t kRouter = 0x40073;
inline constexpr std::uint64_t kRing = 0x7177;
inline constexpr std::uint64_t kSession = 0x5e55;

}  // namespace presil::serving::streams
