// Times as Azure's traces write them.
#pragma once

#include <optional>
#include <string_view>

#include "base/units.h"

namespace presil::serving {

/// "2023-11-16 18:17:03.9799600" (UTC; up to nine digits of a second; "Z" or "+00:00" may follow)
/// as nanoseconds since 1970; nothing for what is no such time. Years 1970 to 2099.
std::optional<Nanoseconds> parse_timestamp(std::string_view text);

}  // namespace presil::serving
