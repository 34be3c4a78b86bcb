// The byte-level BPE of GPT-2, as Llama 3, Qwen and SmolLM2 use it: text is cut into words, and a
// word's bytes become tokens by joining the best-ranked pair of neighbours until no pair has a
// rank.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "model/pair_merging.h"
#include "model/pre_tokenizer.h"
#include "model/text_encoder.h"
#include "model/vocabulary.h"

namespace presil {

class BytePairs : public TextEncoder {
 public:
  /// Throws InputError for an unknown split, and for a merge of or into something that is no token.
  explicit BytePairs(const Vocabulary& vocabulary);

  /// A byte without a token is left out, as llama.cpp does (SmolLM2 has none for a few control
  /// characters).
  void encode(std::string_view text, std::vector<int>& tokens) const override;
  std::string spelled(std::string_view token, TokenType type) const override;

 private:
  /// The token that spells exactly `bytes`, or kNotAToken.
  int find(std::string_view bytes) const;
  void encode_word(std::string_view word, std::vector<int>& tokens) const;

  struct TextHash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  PreTokenizer pre_tokenizer_;
  std::unordered_map<std::string, int, TextHash, std::equal_to<>> token_of_;
  MergeTable merges_;
};

}  // namespace presil
