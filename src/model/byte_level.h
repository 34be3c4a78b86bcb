// GPT-2's way of writing any byte as a printable character, which byte-level vocabularies use.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace presil {

/// Bytes that print stand for themselves, the others for the characters from U+0100 on: " a" is
/// "Ġa".
std::string to_byte_level(std::string_view bytes);

/// The bytes that `text` stands for; nothing when it has a character outside the alphabet.
std::optional<std::string> from_byte_level(std::string_view text);

}  // namespace presil
