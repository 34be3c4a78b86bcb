// What the kinds of tokenizer differ in: how text without special tokens becomes tokens.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/vocabulary.h"

namespace presil {

class TextEncoder {
 public:
  virtual ~TextEncoder() = default;

  /// Appends the tokens of `text`, which may hold any bytes.
  virtual void encode(std::string_view text, std::vector<int>& tokens) const = 0;

  /// The bytes that a token written `token` in the vocabulary adds to a text; `type` is normal,
  /// unused or byte.
  virtual std::string spelled(std::string_view token, TokenType type) const = 0;
};

}  // namespace presil
