// Loops as people write them: "n/64 cores", "k/256 time".
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "program/program.h"

namespace presil {

std::string print(const Loop& loop);

/// "n/64": an axis and a tile of at least one element; nothing for any other text.
std::optional<Loop> parse_tile(std::string_view text);

/// "n/64 cores" or "n/64 time"; nothing for any other text.
std::optional<Loop> parse_loop(std::string_view text);

}  // namespace presil
