#include "model/byte_level.h"

#include <array>

namespace presil {
namespace {

constexpr int kCharacters = 256 + 68;  // 68 bytes do not print and move to U+0100 and up

/// bytes_to_unicode() of GPT-2's encoder.py.
constexpr std::array<int, 256> make_characters() {
  std::array<int, 256> characters{};
  int next = 256;
  for (int b = 0; b < 256; ++b) {
    const bool prints = (b >= '!' && b <= '~') || (b >= 0xa1 && b <= 0xac) || b >= 0xae;
    characters[static_cast<std::size_t>(b)] = prints ? b : next++;
  }
  return characters;
}
constexpr std::array<int, 256> kCharacterOf = make_characters();

constexpr std::array<int, kCharacters> make_bytes() {
  std::array<int, kCharacters> bytes{};
  for (int& b : bytes) b = -1;
  for (int b = 0; b < 256; ++b) {
    bytes[static_cast<std::size_t>(kCharacterOf[static_cast<std::size_t>(b)])] = b;
  }
  return bytes;
}
constexpr std::array<int, kCharacters> kByteOf = make_bytes();

}  // namespace

std::string to_byte_level(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    const int character = kCharacterOf[static_cast<unsigned char>(c)];
    if (character < 0x80) {
      text += static_cast<char>(character);
    } else {
      text += static_cast<char>(0xc0 | character >> 6);
      text += static_cast<char>(0x80 | (character & 0x3f));
    }
  }
  return text;
}

std::optional<std::string> from_byte_level(std::string_view text) {
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); ++i) {
    int character = static_cast<unsigned char>(text[i]);
    if (character >= 0x80) {  // the alphabet ends at U+0143, so two bytes of UTF-8 are enough
      if (character >> 5 != 6 || i + 1 == text.size()) return std::nullopt;
      const int low = static_cast<unsigned char>(text[++i]);
      if (low >> 6 != 2) return std::nullopt;
      character = (character & 0x1f) << 6 | (low & 0x3f);
    }
    if (character >= kCharacters) return std::nullopt;
    const int byte = kByteOf[static_cast<std::size_t>(character)];
    if (byte < 0) return std::nullopt;
    bytes += static_cast<char>(byte);
  }
  return bytes;
}

}  // namespace presil
