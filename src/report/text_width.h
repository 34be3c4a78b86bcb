// How many columns of a terminal a text takes, and texts that are safe to print there.
#pragma once

#include <string>
#include <string_view>

namespace presil {

/// Terminal columns of UTF-8 `text`: two for East Asian wide characters and emoji, none for
/// combining marks, one for any byte that is not UTF-8.
int display_width(std::string_view text);

/// `text` without control characters, which a model or a file could use to drive the terminal:
/// line ends and tabs become a space, others "?".
std::string printable(std::string_view text);

}  // namespace presil
