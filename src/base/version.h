// The version of the tool: part of the key of every stored result.
#pragma once

#include <string_view>

namespace presil {

inline constexpr std::string_view kVersion = "0.1.0";

}  // namespace presil
