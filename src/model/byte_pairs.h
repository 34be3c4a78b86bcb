// Byte pair merging: a word's bytes become tokens by joining the best-ranked pair of neighbours
// until no pair has a rank.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "model/vocabulary.h"

namespace presil {

class BytePairs {
 public:
  /// Throws InputError for a merge of or into something that is no token.
  explicit BytePairs(const Vocabulary& vocabulary);

  /// The token that spells exactly `bytes`, or -1.
  int find(std::string_view bytes) const;

  /// Appends the tokens of `word`. Of equal ranks the leftmost is joined first. A byte without a
  /// token is left out, as llama.cpp does (SmolLM2 has none for a few control characters).
  void encode(std::string_view word, std::vector<int>& tokens) const;

 private:
  struct Merge {
    int rank;
    int token;
  };
  const Merge* merge_of(int left, int right) const;

  struct TextHash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  std::unordered_map<std::string, int, TextHash, std::equal_to<>> token_of_;
  std::unordered_map<std::uint64_t, Merge> merges_;  // by (left token, right token)
};

}  // namespace presil
