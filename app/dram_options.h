// How numbers are written on the command line of `presil dram`.
#pragma once

#include <cstdint>
#include <string>

namespace presil::app {

/// "2000000", "2e6" or "2M" (k, M, G) as a whole number. Throws InputError that names `option`.
std::int64_t parse_count(const std::string& option, const std::string& text);

/// "20%", "20 %" or "0.2" as 0.2. Throws InputError that names `option` unless it is above 0 and
/// at most 1.
double parse_share(const std::string& option, const std::string& text);

}  // namespace presil::app
