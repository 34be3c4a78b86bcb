// UTF-8, as far as needed to tell whole characters from broken and unfinished ones.
#pragma once

#include <cstddef>
#include <string_view>

namespace presil {

enum class Utf8 { whole, unfinished, broken };

/// What a text starts with: a whole character of `length` bytes, the first `length` bytes of one
/// that the text ends within, or a byte (length 1) that starts no character.
struct Utf8Head {
  Utf8 state = Utf8::broken;
  std::size_t length = 1;
};

/// The head of `text`, which must not be empty. Overlong forms and surrogates are broken.
Utf8Head utf8_head(std::string_view text);

/// U+FFFD, which stands for what is broken.
constexpr std::string_view kReplacement = "\xef\xbf\xbd";

}  // namespace presil
