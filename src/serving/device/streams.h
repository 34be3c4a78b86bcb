// What the random numbers of a device's run are for; base/draws.h wants a name for each.
#pragma once

#include <cstdint>

namespace presil::serving::streams {

inline constexpr std::uint64_t kPrivate = 0x6465'7601;
inline constexpr std::uint64_t kEscalation = 0x6465'7602;
inline constexpr std::uint64_t kAcceptance = 0x6465'7603;
inline constexpr std::uint64_t kCloudWait = 0x6465'7604;
inline constexpr std::uint64_t kTravel = 0x6465'7605;

}  // namespace presil::serving::streams
