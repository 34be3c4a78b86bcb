// Text to tokens and back: the byte-level BPE of GPT-2, as Llama 3, Qwen and SmolLM2 use it.
//
// Special tokens are cut out first, the text between them is cut into words, and the bytes of each
// word are merged into tokens.
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/byte_pairs.h"
#include "model/pre_tokenizer.h"
#include "model/vocabulary.h"

namespace presil {

class Tokenizer {
 public:
  /// Throws InputError for a kind of vocabulary that is not supported or contradicts itself.
  explicit Tokenizer(Vocabulary vocabulary);

  /// The tokens of `text`, without a BOS. With `parse_special`, the names of control tokens (such
  /// as <|im_end|>) become those tokens; without it they are text like any other.
  std::vector<int> encode(std::string_view text, bool parse_special) const;

  /// As encode(), after the BOS where the vocabulary asks for one and the text has none.
  std::vector<int> encode_prompt(std::string_view text, bool parse_special) const;

  /// The text of `tokens`, always valid UTF-8: U+FFFD stands for what is broken. Control tokens
  /// have no text.
  std::string decode(std::span<const int> tokens) const;

  /// The bytes that `token` adds to the text; a control token adds none. Requires a token of this
  /// vocabulary.
  std::string_view bytes_of(int token) const;

  const Vocabulary& vocabulary() const { return vocabulary_; }

 private:
  /// The longest special token that `text` starts with, or -1.
  int special_at(std::string_view text, bool parse_special) const;
  void encode_words(std::string_view text, std::vector<int>& tokens) const;

  Vocabulary vocabulary_;
  PreTokenizer pre_tokenizer_;
  BytePairs byte_pairs_;
  std::vector<std::string> bytes_;                            // of each token
  std::array<std::vector<int>, 256> specials_by_first_byte_;  // the longest text first
};

/// Decodes tokens as they come, holding back the bytes of an unfinished character.
class StreamDecoder {
 public:
  /// `tokenizer` must outlive this object.
  explicit StreamDecoder(const Tokenizer& tokenizer) : tokenizer_(&tokenizer) {}

  /// The text that `token` completes; may be empty.
  std::string next(int token);
  /// What is left at the end: U+FFFD for an unfinished character, else empty.
  std::string finish();

 private:
  const Tokenizer* tokenizer_;
  std::string held_back_;
};

}  // namespace presil
