#include "base/utf8.h"

#include <string>

#include <gtest/gtest.h>

namespace presil {
namespace {

void expect(std::string_view text, Utf8 state, std::size_t length) {
  const Utf8Head head = utf8_head(text);
  EXPECT_EQ(head.state, state) << text;
  EXPECT_EQ(head.length, length) << text;
}

TEST(Utf8, WholeCharactersHaveOneToFourBytes) {
  expect("a!", Utf8::whole, 1);
  expect("é!", Utf8::whole, 2);
  expect("€!", Utf8::whole, 3);
  expect("🙂!", Utf8::whole, 4);
}

TEST(Utf8, ACutCharacterIsUnfinished) {
  const std::string smile = "🙂";
  for (std::size_t n = 1; n < smile.size(); ++n) expect(smile.substr(0, n), Utf8::unfinished, n);
}

TEST(Utf8, WhatNoCharacterStartsWithIsBroken) {
  expect("\x80", Utf8::broken, 1);              // a byte that continues
  expect("\xc0\x80", Utf8::broken, 1);          // overlong
  expect("\xe0\x80\x80", Utf8::broken, 1);      // overlong
  expect("\xed\xa0\x80", Utf8::broken, 1);      // surrogate
  expect("\xf4\x90\x80\x80", Utf8::broken, 1);  // above U+10FFFF
  expect("\xc3(", Utf8::broken, 1);
}

}  // namespace
}  // namespace presil
