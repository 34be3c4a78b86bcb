#include "program/words.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "base/error.h"

namespace presil {

bool Words::next_line() {
  words_.clear();
  at_ = 0;
  while (words_.empty()) {
    if (position_ >= source_->text.size()) return false;
    const std::size_t end = std::min(source_->text.find('\n', position_), source_->text.size());
    split(std::string_view(source_->text).substr(position_, end - position_));
    position_ = end + 1;
    ++line_;
  }
  return true;
}

bool Words::next_line_is(std::string_view head) {
  const std::size_t position = source_->text.find_first_not_of(" \t\r\n", position_);
  return position != std::string::npos &&
         std::string_view(source_->text).substr(position).starts_with(head) && next_line();
}

bool Words::skip(std::string_view text) {
  if (!next_is(text)) return false;
  ++at_;
  return true;
}

std::string Words::word(std::string_view what) {
  if (!more()) {
    at_ = words_.size() + 1;
    fail(fmt::format("expected {}", what));
  }
  return words_[at_++].text;
}

void Words::expect(std::string_view text) {
  if (word(text) != text) fail(fmt::format("expected \"{}\"", text));
}

void Words::expect_end_of_line() {
  if (!more()) return;
  ++at_;
  fail("expected the end of the line");
}

std::int64_t Words::integer() {
  const std::string text = word("a whole number");
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) {
    fail("expected a whole number");
  }
  return value;
}

void Words::fail(const std::string& expected) const {
  const bool here = at_ > 0 && at_ <= words_.size();
  const Word w = here ? words_[at_ - 1] : Word{"the end of the line", 1};
  Diagnostics log;
  log.add({source_, std::max(1, line_), w.column, static_cast<int>(w.text.size())},
          fmt::format("{}, found \"{}\"", expected, w.text));
  log.throw_if_any();
  throw InternalError("a diagnostic was thrown");
}

void Words::split(std::string_view line) {
  constexpr std::string_view kGaps = " \t\r,:[]=";
  std::size_t i = 0;
  while (i < line.size()) {
    const std::size_t begin = line.find_first_not_of(kGaps, i);
    if (begin == std::string_view::npos) return;
    const std::size_t end = std::min(line.find_first_of(kGaps, begin), line.size());
    words_.push_back({std::string(line.substr(begin, end - begin)), static_cast<int>(begin) + 1});
    i = end;
  }
}

}  // namespace presil
