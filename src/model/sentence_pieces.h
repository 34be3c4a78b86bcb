// SentencePiece's BPE, as Llama 2 and Mistral use it: no words, spaces written as U+2581,
// characters joined best first, and bytes as tokens for the characters that have none.
//
// How good a join is comes from the score of what it makes (GGUF, as in llama.cpp) or, where the
// vocabulary has no scores, from the order of its merges (tokenizer.json).
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "model/pair_merging.h"
#include "model/text_encoder.h"
#include "model/vocabulary.h"

namespace presil {

/// U+2581, which stands for a space in the vocabulary.
constexpr std::string_view kSpaceMark = "\xe2\x96\x81";

class SentencePieces : public TextEncoder {
 public:
  /// Throws InputError without scores and merges, for scores that are not one finite number a
  /// token, for a merge of or into something that is no token, and where a byte has no token and
  /// there is none for the unknown.
  explicit SentencePieces(const Vocabulary& vocabulary);

  void encode(std::string_view text, std::vector<int>& tokens) const override;
  std::string spelled(std::string_view token, TokenType type) const override;

 private:
  void rank_by_score(const Vocabulary& vocabulary);
  void rank_by_merges(const Vocabulary& vocabulary);
  int find(std::string_view text) const;

  struct TextHash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  std::unordered_map<std::string, int, TextHash, std::equal_to<>> token_of_;
  std::vector<int> rank_of_;  // of each token, when joins are ranked by score
  MergeTable merges_;         // when they are ranked by merges
  std::array<int, 256> byte_token_{};
};

/// The byte that a token written "<0x41>" stands for, or -1.
int byte_of_token(std::string_view token);

}  // namespace presil
