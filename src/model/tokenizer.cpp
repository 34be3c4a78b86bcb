#include "model/tokenizer.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/error.h"
#include "base/utf8.h"
#include "model/byte_pairs.h"
#include "model/gguf_cursor.h"
#include "model/sentence_pieces.h"
#include "model/weights.h"

namespace presil {
namespace {

constexpr int kNone = -1;

Vocabulary checked(Vocabulary v) {
  if (v.types.size() != v.tokens.size()) {
    throw InputError(fmt::format("tokenizer.ggml.token_type: expected {} entries, found {}",
                                 v.tokens.size(), v.types.size()));
  }
  return v;
}

std::unique_ptr<const TextEncoder> encoder_of(const Vocabulary& v) {
  if (v.model == "gpt2") return std::make_unique<BytePairs>(v);
  if (v.model == "llama") return std::make_unique<SentencePieces>(v);
  throw InputError(fmt::format(
      "tokenizer.ggml.model: expected gpt2 (byte-level BPE) or llama (SentencePiece), found "
      "\"{}\", which is not supported yet",
      v.model));
}

bool is_control(TokenType type) {
  return type == TokenType::control || type == TokenType::unknown;
}

}  // namespace

Tokenizer::Tokenizer(Vocabulary vocabulary)
    : vocabulary_(checked(std::move(vocabulary))), encoder_(encoder_of(vocabulary_)) {
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
      bytes_.push_back(encoder_->spelled(tokens[i], type));
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

void Tokenizer::encode_between(std::string_view text, std::size_t begin,
                               std::vector<int>& tokens) const {
  if (text.empty()) return;
  bool prefixed = false;
  switch (vocabulary_.space_prefix) {
    case SpacePrefix::never:
      break;
    case SpacePrefix::after_specials:
      prefixed = true;
      break;
    case SpacePrefix::at_start:
      prefixed = begin == 0 && !text.starts_with(' ') && !text.starts_with(kSpaceMark);
      break;
  }
  encoder_->encode(prefixed ? fmt::format(" {}", text) : std::string(text), tokens);
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
    encode_between(text.substr(begin, at - begin), begin, tokens);
    tokens.push_back(special);
    at += vocabulary_.tokens[static_cast<std::size_t>(special)].size();
    begin = at;
  }
  encode_between(text.substr(begin), begin, tokens);
  return tokens;
}

std::vector<int> Tokenizer::encode_prompt(std::string_view text, bool parse_special) const {
  std::vector<int> tokens = encode(text, parse_special);
  const int bos = static_cast<int>(vocabulary_.bos);
  const int eos = static_cast<int>(vocabulary_.eos);
  const bool starts_with_bos = !tokens.empty() && tokens.front() == bos;
  const bool ends_with_eos = !tokens.empty() && tokens.back() == eos;
  if (vocabulary_.add_bos && bos != kNone && !starts_with_bos) tokens.insert(tokens.begin(), bos);
  if (vocabulary_.add_eos && eos != kNone && !ends_with_eos) tokens.push_back(eos);
  return tokens;
}

std::string_view Tokenizer::bytes_of(int token) const {
  CHECK(token >= 0, "a token of the model");
  const auto index = static_cast<std::size_t>(token);
  return index < bytes_.size() ? std::string_view(bytes_[index]) : std::string_view();
}

bool Tokenizer::has_space_prefix(int token) const {
  return vocabulary_.space_prefix != SpacePrefix::never && bytes_of(token).starts_with(' ') &&
         vocabulary_.types[static_cast<std::size_t>(token)] == TokenType::normal;
}

std::string Tokenizer::decode(std::span<const int> tokens) const {
  StreamDecoder decoder(*this, StreamDecoder::Text::begins);
  std::string text;
  for (const int token : tokens) text += decoder.next(token);
  return text + decoder.finish();
}

Tokenizer tokenizer_of(const Weights& weights) {
  const Vocabulary& vocabulary = weights.vocabulary();
  const std::string path = weights.path().string();
  if (vocabulary.tokens.empty()) {
    throw MissingInput(fmt::format(
        "{}: no tokenizer, which texts need: a GGUF file has its own, a checkpoint's folder a "
        "tokenizer.json",
        path));
  }
  try {
    return Tokenizer(vocabulary);
  } catch (const InputError& e) {
    throw file_error(path, e.diagnostics().front().message);
  }
}

std::string StreamDecoder::next(int token) {
  std::string_view bytes = tokenizer_->bytes_of(token);
  if (at_start_ && tokenizer_->has_space_prefix(token)) bytes.remove_prefix(1);
  at_start_ = at_start_ && tokenizer_->bytes_of(token).empty();
  held_back_ += bytes;
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
