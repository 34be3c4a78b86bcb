// How many rows of weights stand side by side in a panel, whose products go lane by lane.
#pragma once

#include <cstdint>

namespace presil {

inline constexpr std::int64_t kPanelRows = 16;

}  // namespace presil
