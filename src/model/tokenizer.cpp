#include "model/tokenizer.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/error.h"
#include "base/utf8.h"
#include "model/byte_level.h"

namespace presil {
namespace {

constexpr int kNone = -1;

Vocabulary checked(Vocabulary v) {
  if (v.model != "gpt2") {
    throw InputError(fmt::format(
        "tokenizer.ggml.model: expected gpt2 (byte-level BPE), found \"{}\", which is not "
        "supported yet",
        v.model));
  }
  if (v.types.size() != v.tokens.size()) {
    throw InputError(fmt::format("tokenizer.ggml.token_type: expected {} entries, found {}",
                                 v.tokens.size(), v.types.size()));
  }
  return v;
}

bool is_control(TokenType type) {
  return type == TokenType::control || type == TokenType::unknown;
}

}  // namespace

Tokenizer::Tokenizer(Vocabulary vocabulary)
    : vocabulary_(checked(std::move(vocabulary))),
      pre_tokenizer_(vocabulary_.pre),
      byte_pairs_(vocabulary_) {
  const std::vector<std::string>& tokens = vocabulary_.tokens;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const TokenType type = vocabulary_.types[i];
    const bool special = is_control(type) || type == TokenType::user_defined;
    if (special && !tokens[i].empty()) {
      specials_by_first_byte_[static_cast<unsigned char>(tokens[i][0])].push_back(
          static_cast<int>(i));
    }
    if (is_control(type)) {
      bytes_.emplace_back();
    } else if (type == TokenType::user_defined) {
      bytes_.push_back(tokens[i]);
    } else {
      bytes_.push_back(from_byte_level(tokens[i]).value_or(tokens[i]));
    }
  }
  for (std::vector<int>& specials : specials_by_first_byte_) {
    std::stable_sort(specials.begin(), specials.end(), [&](int a, int b) {
      return tokens[static_cast<std::size_t>(a)].size() >
             tokens[static_cast<std::size_t>(b)].size();
    });
  }
}

int Tokenizer::special_at(std::string_view text, bool parse_special) const {
  for (const int token : specials_by_first_byte_[static_cast<unsigned char>(text[0])]) {
    const auto i = static_cast<std::size_t>(token);
    if (!parse_special && is_control(vocabulary_.types[i])) continue;
    if (text.starts_with(vocabulary_.tokens[i])) return token;
  }
  return kNone;
}

void Tokenizer::encode_words(std::string_view text, std::vector<int>& tokens) const {
  for (const std::string_view word : pre_tokenizer_.split(text)) {
    const int whole = pre_tokenizer_.takes_whole_words() ? byte_pairs_.find(word) : kNone;
    if (whole != kNone) {
      tokens.push_back(whole);
    } else {
      byte_pairs_.encode(word, tokens);
    }
  }
}

std::vector<int> Tokenizer::encode(std::string_view text, bool parse_special) const {
  std::vector<int> tokens;
  std::size_t begin = 0;
  for (std::size_t at = 0; at < text.size();) {
    const int special = special_at(text.substr(at), parse_special);
    if (special == kNone) {
      ++at;
      continue;
    }
    encode_words(text.substr(begin, at - begin), tokens);
    tokens.push_back(special);
    at += vocabulary_.tokens[static_cast<std::size_t>(special)].size();
    begin = at;
  }
  encode_words(text.substr(begin), tokens);
  return tokens;
}

std::vector<int> Tokenizer::encode_prompt(std::string_view text, bool parse_special) const {
  std::vector<int> tokens = encode(text, parse_special);
  const int bos = static_cast<int>(vocabulary_.bos);
  const bool starts_with_bos = !tokens.empty() && tokens.front() == bos;
  if (vocabulary_.add_bos && bos != kNone && !starts_with_bos) tokens.insert(tokens.begin(), bos);
  return tokens;
}

std::string_view Tokenizer::bytes_of(int token) const {
  CHECK(token >= 0 && static_cast<std::size_t>(token) < bytes_.size(), "a token of the vocabulary");
  return bytes_[static_cast<std::size_t>(token)];
}

std::string Tokenizer::decode(std::span<const int> tokens) const {
  StreamDecoder decoder(*this);
  std::string text;
  for (const int token : tokens) text += decoder.next(token);
  return text + decoder.finish();
}

std::string StreamDecoder::next(int token) {
  held_back_ += tokenizer_->bytes_of(token);
  std::string text;
  std::size_t at = 0;
  while (at < held_back_.size()) {
    const Utf8Head head = utf8_head(std::string_view(held_back_).substr(at));
    if (head.state == Utf8::unfinished) break;
    text += head.state == Utf8::whole ? std::string_view(held_back_).substr(at, head.length)
                                      : kReplacement;
    at += head.length;
  }
  held_back_.erase(0, at);
  return text;
}

std::string StreamDecoder::finish() {
  const bool unfinished = !held_back_.empty();
  held_back_.clear();
  return std::string(unfinished ? kReplacement : "");
}

}  // namespace presil
