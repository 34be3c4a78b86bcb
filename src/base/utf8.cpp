#include "base/utf8.h"

namespace presil {

Utf8Head utf8_head(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return {Utf8::whole, 1};
  if (first < 0xc2 || first > 0xf4) return {Utf8::broken, 1};

  const std::size_t length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  // The second byte is what rules out overlong forms, surrogates and numbers above U+10FFFF
  // (Unicode, table 3-7).
  const unsigned char low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
  const unsigned char high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
  for (std::size_t i = 1; i < length; ++i) {
    if (i == text.size()) return {Utf8::unfinished, i};
    const bool follows = i == 1 ? byte(i) >= low && byte(i) <= high : byte(i) >> 6 == 2;
    if (!follows) return {Utf8::broken, 1};
  }
  return {Utf8::whole, length};
}

}  // namespace presil
