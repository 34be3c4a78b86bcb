#include "model/byte_pairs.h"

#include <fmt/format.h>

#include "base/error.h"
#include "model/byte_level.h"

namespace presil {

BytePairs::BytePairs(const Vocabulary& vocabulary) : pre_tokenizer_(vocabulary.pre) {
  for (std::size_t i = 0; i < vocabulary.tokens.size(); ++i) {
    const TokenType type = vocabulary.types[i];
    if (type != TokenType::normal && type != TokenType::user_defined) continue;
    if (auto bytes = from_byte_level(vocabulary.tokens[i])) {
      token_of_.emplace(std::move(*bytes), static_cast<int>(i));
    }
  }
  for (std::size_t rank = 0; rank < vocabulary.merges.size(); ++rank) {
    const std::string_view merge = vocabulary.merges[rank];
    const std::size_t space = merge.find(' ');
    const auto left = from_byte_level(merge.substr(0, space));
    const auto right =
        space == std::string_view::npos ? std::nullopt : from_byte_level(merge.substr(space + 1));
    const bool spelled = left && right;
    const Joined joined{static_cast<int>(rank), spelled ? find(*left + *right) : kNotAToken};
    if (joined.token == kNotAToken || find(*left) == kNotAToken || find(*right) == kNotAToken) {
      throw InputError(fmt::format(
          "tokenizer.ggml.merges: expected two tokens that join into a third, found \"{}\"",
          merge));
    }
    merges_.add(find(*left), find(*right), joined);
  }
}

int BytePairs::find(std::string_view bytes) const {
  const auto found = token_of_.find(bytes);
  return found == token_of_.end() ? kNotAToken : found->second;
}

void BytePairs::encode(std::string_view text, std::vector<int>& tokens) const {
  for (const std::string_view word : pre_tokenizer_.split(text)) {
    const int whole = pre_tokenizer_.takes_whole_words() ? find(word) : kNotAToken;
    if (whole != kNotAToken) {
      tokens.push_back(whole);
    } else {
      encode_word(word, tokens);
    }
  }
}

void BytePairs::encode_word(std::string_view word, std::vector<int>& tokens) const {
  SymbolChain chain;
  for (const char byte : word) {
    const int token = find(std::string_view(&byte, 1));
    if (token != kNotAToken) chain.append(token, 1);
  }
  chain.merge([&](const Symbol& left, const Symbol& right) {
    return merges_.find(left.token, right.token);
  });
  chain.for_each([&](const Symbol& symbol) { tokens.push_back(symbol.token); });
}

std::string BytePairs::spelled(std::string_view token, TokenType) const {
  return from_byte_level(token).value_or(std::string(token));
}

}  // namespace presil
