// What a kernel can wait for, and how much of its time is charged to each.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

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

void add(Charges& sum, const Charges& more, std::int64_t times = 1);

/// Those that were charged, in the order of Resource, as shares of all; none of nothing.
std::vector<std::pair<std::string_view, double>> shares_of(const Charges& charges);

}  // namespace presil
