#include "serving/load/trace_line.h"

#include <charconv>
#include <cmath>

#include <fmt/format.h>

namespace presil::serving {
namespace {

constexpr int kDeepest = 32;                           // nesting of values that are skipped
constexpr std::int64_t kMostMilliseconds = 1LL << 42;  // 139 years, also since 1970
constexpr std::int64_t kNanosecondsAMillisecond = 1'000'000;

class Scanner {
 public:
  Scanner(const Lines& lines, std::string_view line) : lines_(lines), line_(line) {}

  void read(TraceLine& into) {
    expect('{');
    if (!accept('}')) {
      do {
        read_member(into);
      } while (accept(','));
      expect('}');
    }
    skip_spaces();
    if (at_ != line_.size()) refuse("expected the end of the line");
  }

 private:
  [[noreturn]] void refuse(const std::string& message) const {
    throw InputError({lines_.complaint(static_cast<int>(at_) + 1, message)});
  }
  void skip_spaces() {
    while (at_ < line_.size() && (line_[at_] == ' ' || line_[at_] == '\t')) ++at_;
  }
  bool accept(char c) {
    skip_spaces();
    if (at_ >= line_.size() || line_[at_] != c) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!accept(c)) refuse(fmt::format("expected '{}' of a JSON object on one line", c));
  }

  /// The text between quotes, escapes left as they stand.
  std::string_view read_string() {
    expect('"');
    const std::size_t begin = at_;
    while (at_ < line_.size() && line_[at_] != '"') at_ += line_[at_] == '\\' ? 2 : 1;
    if (at_ >= line_.size()) {
      at_ = begin - 1;
      refuse("a quote that does not close");
    }
    return line_.substr(begin, at_++ - begin);
  }

  void read_member(TraceLine& into) {
    skip_spaces();
    const std::size_t key_at = at_;
    const std::string_view key = read_string();
    expect(':');
    skip_spaces();
    const std::size_t begin = at_;
    Cell* found = nullptr;
    if (key == "timestamp") {
      found = &into.arrival;
      into.arrival_ns = read_milliseconds();
    } else if (key == "input_length") {
      found = &into.prompt;
      into.prompt_tokens = read_whole<std::int64_t>(key);
    } else if (key == "output_length") {
      found = &into.output;
      into.output_tokens = read_whole<std::int64_t>(key);
    } else if (key == "hash_ids") {
      found = &into.names;
      read_ids(key, into.prefix);
    } else {
      return skip_value(0);
    }
    if (found->column != 0) {
      at_ = key_at;
      refuse(fmt::format("{} stands there twice", key));
    }
    *found = {static_cast<int>(begin) + 1, static_cast<int>(at_ - begin)};
  }

  template <class Int>
  Int read_whole(std::string_view key) {
    skip_spaces();
    Int value = 0;
    const auto [end, error] =
        std::from_chars(line_.data() + at_, line_.data() + line_.size(), value);
    const auto stop = static_cast<std::size_t>(end - line_.data());
    const bool goes_on =
        stop < line_.size() && (line_[stop] == '.' || line_[stop] == 'e' || line_[stop] == 'E');
    if (error != std::errc() || goes_on) refuse(fmt::format("{}: expected a whole number", key));
    at_ = stop;
    return value;
  }

  /// Whole milliseconds are taken exactly, fractions to the nearest nanosecond.
  std::int64_t read_milliseconds() {
    double value = 0;
    const auto [end, error] =
        std::from_chars(line_.data() + at_, line_.data() + line_.size(), value);
    if (error != std::errc() || !(value >= 0 && value <= static_cast<double>(kMostMilliseconds))) {
      refuse("timestamp: expected milliseconds, not below zero and under 139 years");
    }
    at_ = static_cast<std::size_t>(end - line_.data());
    const double whole = std::floor(value);
    return static_cast<std::int64_t>(whole) * kNanosecondsAMillisecond +
           std::llround((value - whole) * static_cast<double>(kNanosecondsAMillisecond));
  }

  void read_ids(std::string_view key, std::vector<std::uint64_t>& ids) {
    expect('[');
    ids.clear();
    if (accept(']')) return;
    do {
      ids.push_back(read_whole<std::uint64_t>(key));
    } while (accept(','));
    expect(']');
  }

  void skip_value(int depth) {
    if (depth > kDeepest) refuse("nested too deep");
    skip_spaces();
    const char c = at_ < line_.size() ? line_[at_] : '\0';
    if (c == '"') {
      read_string();
    } else if (c == '[') {
      skip_items(']', [&] { skip_value(depth + 1); });
    } else if (c == '{') {
      skip_items('}', [&] {
        read_string();
        expect(':');
        skip_value(depth + 1);
      });
    } else {
      const std::size_t end = std::min(line_.find_first_of(",]} \t", at_), line_.size());
      if (end == at_) refuse("expected a value");
      at_ = end;
    }
  }
  template <class F>
  void skip_items(char close, F skip_item) {
    ++at_;
    if (accept(close)) return;
    do {
      skip_item();
    } while (accept(','));
    expect(close);
  }

  const Lines& lines_;
  const std::string_view line_;
  std::size_t at_ = 0;
};

}  // namespace

void read_mooncake_line(const Lines& lines, std::string_view line, TraceLine& into) {
  into.arrival = into.prompt = into.output = into.names = {};
  into.prefix.clear();
  Scanner(lines, line).read(into);
}

}  // namespace presil::serving
