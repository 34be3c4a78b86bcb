#include "model/sentence_pieces.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/error.h"
#include "base/utf8.h"

namespace presil {
namespace {

std::string replaced(std::string_view text, std::string_view from, std::string_view to) {
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    if (text.substr(at).starts_with(from)) {
      result += to;
      at += from.size();
    } else {
      result += text[at++];
    }
  }
  return result;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

}  // namespace

int byte_of_token(std::string_view token) {
  if (token.size() != 6 || !token.starts_with("<0x") || token.back() != '>') return -1;
  const int high = hex_digit(token[3]);
  const int low = hex_digit(token[4]);
  return high < 0 || low < 0 ? -1 : 16 * high + low;
}

SentencePieces::SentencePieces(const Vocabulary& vocabulary) {
  byte_token_.fill(static_cast<int>(vocabulary.unk));
  for (std::size_t i = 0; i < vocabulary.tokens.size(); ++i) {
    const std::string& text = vocabulary.tokens[i];
    const int byte = byte_of_token(text);
    if (vocabulary.types[i] == TokenType::normal) {
      token_of_.emplace(text, static_cast<int>(i));
    } else if (vocabulary.types[i] == TokenType::byte && byte >= 0) {
      byte_token_[static_cast<std::size_t>(byte)] = static_cast<int>(i);
    }
  }
  for (std::size_t byte = 0; byte < byte_token_.size(); ++byte) {
    if (byte_token_[byte] != kNotAToken) continue;
    throw InputError(fmt::format(
        "tokenizer.ggml.tokens: expected a token of type 6 for each byte or a token for the "
        "unknown, found none of <0x{:02X}>",
        byte));
  }
  if (!vocabulary.scores.empty()) {
    rank_by_score(vocabulary);
  } else if (!vocabulary.merges.empty()) {
    rank_by_merges(vocabulary);
  } else {
    throw InputError("tokenizer.ggml.scores: expected a score for each token, found none");
  }
}

void SentencePieces::rank_by_score(const Vocabulary& vocabulary) {
  const std::vector<float>& scores = vocabulary.scores;
  if (scores.size() != vocabulary.tokens.size()) {
    throw InputError(fmt::format("tokenizer.ggml.scores: expected {} entries, found {}",
                                 vocabulary.tokens.size(), scores.size()));
  }
  if (!std::all_of(scores.begin(), scores.end(), [](float s) { return std::isfinite(s); })) {
    throw InputError("tokenizer.ggml.scores: expected finite numbers, found another");
  }
  std::vector<float> best_first = scores;
  std::sort(best_first.begin(), best_first.end(), std::greater<>());
  for (const float score : scores) {
    const auto place =
        std::lower_bound(best_first.begin(), best_first.end(), score, std::greater<>());
    rank_of_.push_back(static_cast<int>(place - best_first.begin()));
  }
}

void SentencePieces::rank_by_merges(const Vocabulary& vocabulary) {
  for (std::size_t rank = 0; rank < vocabulary.merges.size(); ++rank) {
    const std::string_view merge = vocabulary.merges[rank];
    const std::size_t space = std::min(merge.find(' '), merge.size());
    const std::string_view left = merge.substr(0, space);
    const std::string_view right = merge.substr(std::min(space + 1, merge.size()));
    const Joined joined{static_cast<int>(rank), find(std::string(left) + std::string(right))};
    if (joined.token == kNotAToken || find(left) == kNotAToken || find(right) == kNotAToken) {
      throw InputError(fmt::format(
          "tokenizer.ggml.merges: expected two tokens that join into a third, found \"{}\"",
          merge));
    }
    merges_.add(find(left), find(right), joined);
  }
}

int SentencePieces::find(std::string_view text) const {
  const auto found = token_of_.find(text);
  return found == token_of_.end() ? kNotAToken : found->second;
}

void SentencePieces::encode(std::string_view text, std::vector<int>& tokens) const {
  const std::string marked = replaced(text, " ", kSpaceMark);
  const std::string_view all = marked;
  SymbolChain chain;
  for (std::size_t at = 0; at < all.size();) {
    const std::size_t length = utf8_head(all.substr(at)).length;
    chain.append(find(all.substr(at, length)), length);
    at += length;
  }
  chain.merge([&](const Symbol& left, const Symbol& right) -> std::optional<Joined> {
    if (rank_of_.empty()) return merges_.find(left.token, right.token);
    const int token = find(all.substr(left.begin, left.size + right.size));
    if (token == kNotAToken) return std::nullopt;
    return Joined{rank_of_[static_cast<std::size_t>(token)], token};
  });
  chain.for_each([&](const Symbol& symbol) {
    if (symbol.token != kNotAToken) {
      tokens.push_back(symbol.token);
      return;
    }
    for (const char byte : all.substr(symbol.begin, symbol.size)) {
      tokens.push_back(byte_token_[static_cast<unsigned char>(byte)]);
    }
  });
}

std::string SentencePieces::spelled(std::string_view token, TokenType type) const {
  const int byte = type == TokenType::byte ? byte_of_token(token) : -1;
  if (byte >= 0) return std::string(1, static_cast<char>(byte));
  return replaced(token, kSpaceMark, " ");
}

}  // namespace presil
