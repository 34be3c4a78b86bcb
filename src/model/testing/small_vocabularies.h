// For tests: small vocabularies of both kinds, and how they stand in a GGUF file.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "model/byte_level.h"
#include "model/testing/gguf_writer.h"
#include "model/vocabulary.h"

namespace presil::testing {

/// The 256 bytes as tokens 0 to 255, what `merges` join, then <|end|> (control) and <tool>
/// (user-defined).
inline Vocabulary byte_level_vocabulary(std::vector<std::string> merges,
                                        std::string pre = "smollm") {
  Vocabulary v;
  v.model = "gpt2";
  v.pre = std::move(pre);
  for (int b = 0; b < 256; ++b) {
    v.tokens.push_back(to_byte_level(std::string(1, static_cast<char>(b))));
  }
  for (const std::string& m : merges) {
    const std::size_t space = m.find(' ');
    v.tokens.push_back(m.substr(0, space) + m.substr(space + 1));
  }
  v.types.assign(v.tokens.size(), TokenType::normal);
  v.merges = std::move(merges);
  v.tokens.insert(v.tokens.end(), {"<|end|>", "<tool>"});
  v.types.insert(v.types.end(), {TokenType::control, TokenType::user_defined});
  return v;
}

constexpr int kFirstByte = 3;
constexpr int kFirstPiece = kFirstByte + 256;

/// <unk> <s> </s>, the bytes, then `pieces`, each with a score one lower than the one before.
inline Vocabulary pieces_vocabulary(const std::vector<std::string>& pieces) {
  Vocabulary v;
  v.model = "llama";
  v.tokens = {"<unk>", "<s>", "</s>"};
  v.types = {TokenType::unknown, TokenType::control, TokenType::control};
  for (int byte = 0; byte < 256; ++byte) {
    v.tokens.push_back(fmt::format("<0x{:02X}>", byte));
    v.types.push_back(TokenType::byte);
  }
  v.scores.assign(v.tokens.size(), 0);
  for (const std::string& piece : pieces) {
    v.scores.push_back(v.scores.back() - 1);
    v.tokens.push_back(piece);
    v.types.push_back(TokenType::normal);
  }
  v.unk = 0;
  v.bos = 1;
  v.eos = 2;
  v.space_prefix = SpacePrefix::after_specials;
  return v;
}

/// Writes the tokens, types and scores of `v`, which is of the llama kind.
inline void add_vocabulary(GgufWriter& file, const Vocabulary& v) {
  std::vector<std::int32_t> types;
  for (const TokenType type : v.types) types.push_back(static_cast<std::int32_t>(type));
  std::string scores = GgufWriter::array_head(GgufType::f32, v.scores.size());
  for (const float score : v.scores) scores += raw(score);
  file.string("tokenizer.ggml.model", v.model).strings("tokenizer.ggml.tokens", v.tokens);
  file.integers("tokenizer.ggml.token_type", types);
  file.key("tokenizer.ggml.scores", GgufType::array, scores);
}

}  // namespace presil::testing
