// What a kernel can wait for, and how much of its time is charged to each.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "base/units.h"

namespace presil {

/// `power` is the time that a clock lowered to the power limit costs; see explore/phase.h.
enum class Resource { dram, matrix, vector, sram, noc, link, launch, power, die_link, dma };
inline constexpr std::size_t kResources = 10;
std::string_view to_string(Resource resource);

/// Time charged to each resource.
using Charges = std::array<Picoseconds, kResources>;

/// The resource with the largest charge; of equal ones the first.
Resource largest(const Charges& charges);

}  // namespace presil
