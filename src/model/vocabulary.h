// What a model's files say about its tokens: the raw material of a Tokenizer.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace presil {

enum class TokenType : std::int32_t { normal = 1, unknown, control, user_defined, unused, byte };

/// Where SentencePiece puts a space that the text does not have, so that a word is the same token
/// at the start of a text and within it.
enum class SpacePrefix {
  never,
  after_specials,  // before the text and after each special token, as llama.cpp does
  at_start,        // before a text that starts with neither a space nor a special token
};

struct Vocabulary {
  std::string model;  // tokenizer.ggml.model: "gpt2" (byte-level BPE) or "llama" (SentencePiece)
  std::string pre;    // tokenizer.ggml.pre, of gpt2: "smollm", "llama-bpe", "qwen2"
  std::vector<std::string> tokens;
  std::vector<TokenType> types;
  std::vector<std::string> merges;  // "left right", best first
  std::vector<float> scores;        // of llama: of each token, the best is joined first
  std::int64_t bos = -1, eos = -1, unk = -1;
  bool add_bos = false;
  bool add_eos = false;
  SpacePrefix space_prefix = SpacePrefix::never;
  std::string chat_template;  // Jinja; only recognised, never run
};

}  // namespace presil
