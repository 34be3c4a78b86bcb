#include "report/text_width.h"

#include <algorithm>
#include <array>

namespace presil {

namespace {

struct Range {
  char32_t first;
  char32_t last;
};

// Blocks of Unicode's EastAsianWidth.txt with width W, and the emoji blocks.
constexpr std::array<Range, 8> kWide = {{{0x1100, 0x115F},
                                         {0x2E80, 0x303E},
                                         {0x3041, 0xA4CF},
                                         {0xAC00, 0xD7A3},
                                         {0xF900, 0xFAFF},
                                         {0xFE30, 0xFE6F},
                                         {0xFF00, 0xFF60},
                                         {0x1F300, 0x1FAFF}}};

// Combining marks, zero-width characters, variation selectors.
constexpr std::array<Range, 5> kNothing = {
    {{0x0300, 0x036F}, {0x1AB0, 0x1AFF}, {0x200B, 0x200F}, {0x20D0, 0x20FF}, {0xFE00, 0xFE0F}}};

template <std::size_t N>
bool contains(const std::array<Range, N>& ranges, char32_t c) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [c](const Range& r) { return r.first <= c && c <= r.last; });
}

struct Character {
  char32_t code;
  std::size_t bytes;
};

// The character that starts `text`; a byte that is not UTF-8 is a character of one byte.
Character first_character(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  const std::size_t bytes = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
  if (bytes == 1 || bytes > text.size()) return {lead, 1};
  char32_t code = lead & (0x7FU >> bytes);
  for (std::size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) return {lead, 1};
    code = (code << 6U) | (byte(i) & 0x3FU);
  }
  return {code, bytes};
}

}  // namespace

int display_width(std::string_view text) {
  int width = 0;
  while (!text.empty()) {
    const auto [code, bytes] = first_character(text);
    if (!contains(kNothing, code)) width += contains(kWide, code) ? 2 : 1;
    text.remove_prefix(bytes);
  }
  return width;
}

std::string printable(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const auto [code, bytes] = first_character(text);
    const bool control = code < 0x20 || (0x7F <= code && code < 0xA0);
    if (code == '\n' || code == '\t' || code == '\r') {
      result += ' ';
    } else if (control || (bytes == 1 && code >= 0x80)) {
      result += '?';
    } else {
      result += text.substr(0, bytes);
    }
    text.remove_prefix(bytes);
  }
  return result;
}

}  // namespace presil
