// Text to tokens and back.
//
// Special tokens are cut out first; the text between them is encoded as the vocabulary's kind says:
// byte_pairs.h (GPT-2's, Llama 3's, Qwen's) or sentence_pieces.h (Llama 2's, Mistral's).
#pragma once

#include <array>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/text_encoder.h"
#include "model/vocabulary.h"

namespace presil {

class Weights;

class Tokenizer {
 public:
  /// Throws InputError for a kind of vocabulary that is not supported or contradicts itself; names
  /// the kind and those that are.
  explicit Tokenizer(Vocabulary vocabulary);

  /// The tokens of `text`, without BOS and EOS. With `parse_special`, the names of control tokens
  /// (such as <|im_end|>) become those tokens; without it they are text like any other.
  std::vector<int> encode(std::string_view text, bool parse_special) const;

  /// As encode(), with the BOS and EOS that the vocabulary asks for, where the text has none.
  std::vector<int> encode_prompt(std::string_view text, bool parse_special) const;

  /// The text of `tokens`, always valid UTF-8: U+FFFD stands for what is broken. Control tokens
  /// have no text. A space that encode() put before the text is taken away again.
  std::string decode(std::span<const int> tokens) const;

  /// The bytes that `token` adds to the text; a control token adds none, nor does one beyond the
  /// vocabulary, which models have whose table of tokens is rounded up. Requires token >= 0.
  std::string_view bytes_of(int token) const;

  /// Whether a text that starts with `token` starts with a space that encode() may have put there.
  bool has_space_prefix(int token) const;

  const Vocabulary& vocabulary() const { return vocabulary_; }

 private:
  /// The longest special token that `text` starts with, or -1.
  int special_at(std::string_view text, bool parse_special) const;
  /// Appends the tokens of what lies between special tokens, at `begin` of the whole text.
  void encode_between(std::string_view text, std::size_t begin, std::vector<int>& tokens) const;

  Vocabulary vocabulary_;
  std::unique_ptr<const TextEncoder> encoder_;
  std::vector<std::string> bytes_;                            // of each token
  std::array<std::vector<int>, 256> specials_by_first_byte_;  // the longest text first
};

/// The tokenizer of a model's files. Throws MissingInput where they have none, and InputError as
/// Tokenizer does, with the path.
Tokenizer tokenizer_of(const Weights& weights);

/// Decodes tokens as they come, holding back the bytes of an unfinished character.
class StreamDecoder {
 public:
  /// The tokens are a text of their own, or go on after a text that was printed before.
  enum class Text { begins, goes_on };

  /// `tokenizer` must outlive this object.
  explicit StreamDecoder(const Tokenizer& tokenizer, Text text = Text::goes_on)
      : tokenizer_(&tokenizer), at_start_(text == Text::begins) {}

  /// The text that `token` completes; may be empty.
  std::string next(int token);
  /// What is left at the end: U+FFFD for an unfinished character, else empty.
  std::string finish();

 private:
  const Tokenizer* tokenizer_;
  bool at_start_;
  std::string held_back_;
};

}  // namespace presil
