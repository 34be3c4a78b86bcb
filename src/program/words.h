// A text as lines of words, for a reader that complains about the word at hand.
//
// Words are runs of letters without blanks, commas, colons, brackets and equals signs. Lines
// without a word are passed over.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/document.h"

namespace presil {

class Words {
 public:
  explicit Words(std::shared_ptr<const Source> source) : source_(std::move(source)) {}

  /// Moves to the next line; false at the end of the text.
  bool next_line();
  /// Moves to the next line when it starts with `head`.
  bool next_line_is(std::string_view head);

  /// Whether the line has more words.
  bool more() const { return at_ < words_.size(); }
  bool next_is(std::string_view text) const { return more() && words_[at_].text == text; }
  /// Takes the next word if it is `text`.
  bool skip(std::string_view text);
  /// Takes the next word; complains that `what` was expected when there is none.
  std::string word(std::string_view what);
  /// Takes the next word, which must be `text`.
  void expect(std::string_view text);
  /// Complains about the next word, if there is one.
  void expect_end_of_line();
  /// Takes a whole number, 0 or more.
  std::int64_t integer();

  /// Throws InputError with file:line:col of the word taken last and the sentence `expected`.
  [[noreturn]] void fail(const std::string& expected) const;

 private:
  struct Word {
    std::string text;
    int column;
  };

  void split(std::string_view line);

  std::shared_ptr<const Source> source_;
  std::size_t position_ = 0;
  int line_ = 0;
  std::vector<Word> words_;
  std::size_t at_ = 0;
};

}  // namespace presil
