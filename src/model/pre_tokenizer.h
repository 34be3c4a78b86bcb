// Cutting text into words before byte pairs are merged, which never cross a word's border.
//
// Each family of tokenizers has its own expressions. They are tried in turn: the pieces that one
// leaves are the texts of the next. Text that no expression matches stays a piece.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

namespace presil {

class PreTokenizer {
 public:
  /// `kind` is tokenizer.ggml.pre: smollm, llama-bpe, qwen2. Throws InputError for another.
  explicit PreTokenizer(std::string_view kind);
  PreTokenizer(PreTokenizer&&) noexcept;
  PreTokenizer& operator=(PreTokenizer&&) noexcept;
  ~PreTokenizer();

  /// The pieces of `text`, in order; together they are the text. Bytes that are not UTF-8 are
  /// pieces of their own.
  std::vector<std::string_view> split(std::string_view text) const;

  /// Whether a piece that is a token is taken whole, without merging.
  bool takes_whole_words() const { return takes_whole_words_; }

 private:
  class Expression;
  std::vector<Expression> expressions_;
  bool takes_whole_words_ = false;
};

}  // namespace presil
