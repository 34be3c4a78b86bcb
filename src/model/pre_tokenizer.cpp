#include "model/pre_tokenizer.h"

#include <string>

#include <fmt/format.h>
#include <fmt/ranges.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/error.h"
#include "base/utf8.h"

namespace presil {
namespace {

struct Kind {
  std::string_view name;
  std::vector<std::string_view> expressions;
  bool takes_whole_words;
};

// Expressions: llama.cpp, src/llama-vocab.cpp; they are those of each model's tokenizer.json, but
// for (?i:'s), which there also takes the long s (U+017F).
const std::vector<Kind>& kinds() {
  static const std::vector<Kind> kinds = {
      {"smollm",
       {R"(\p{N})", R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S))"},
       false},
      {"llama-bpe",
       {R"((?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])|[^\r\n\p{L}\p{N}]?\p{L}+)"
        R"(|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)"},
       true},
      {"qwen2",
       {R"((?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])|[^\r\n\p{L}\p{N}]?\p{L}+)"
        R"(|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)"},
       false},
  };
  return kinds;
}

struct CodeFree {
  void operator()(pcre2_code* p) const { pcre2_code_free(p); }
};
struct MatchFree {
  void operator()(pcre2_match_data* p) const { pcre2_match_data_free(p); }
};

std::string message_of(int code) {
  unsigned char text[256];
  pcre2_get_error_message(code, text, sizeof text);
  return reinterpret_cast<const char*>(text);
}

}  // namespace

class PreTokenizer::Expression {
 public:
  explicit Expression(std::string_view pattern) {
    int error = 0;
    std::size_t offset = 0;
    code_.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(),
                              PCRE2_UTF | PCRE2_UCP, &error, &offset, nullptr));
    CHECK(code_ != nullptr, "the expressions above are well formed");
    pcre2_jit_compile(code_.get(), PCRE2_JIT_COMPLETE);  // without it, matching is only slower
  }

  /// Appends matches, and what lies between them, to `pieces`. Requires valid UTF-8.
  void split(std::string_view text, pcre2_match_data* match,
             std::vector<std::string_view>& pieces) const {
    const auto* subject = reinterpret_cast<PCRE2_SPTR>(text.data());
    std::size_t at = 0;
    while (at < text.size()) {
      const int found =
          pcre2_match(code_.get(), subject, text.size(), at, PCRE2_NO_UTF_CHECK, match, nullptr);
      if (found == PCRE2_ERROR_NOMATCH) break;
      if (found < 0) {
        throw LimitReached(fmt::format("splitting text into words: {}", message_of(found)));
      }
      const std::size_t begin = pcre2_get_ovector_pointer(match)[0];
      const std::size_t end = pcre2_get_ovector_pointer(match)[1];
      CHECK(end > at, "no expression matches the empty text");
      if (begin > at) pieces.push_back(text.substr(at, begin - at));
      pieces.push_back(text.substr(begin, end - begin));
      at = end;
    }
    if (at < text.size()) pieces.push_back(text.substr(at));
  }

  std::unique_ptr<pcre2_match_data, MatchFree> new_match() const {
    return std::unique_ptr<pcre2_match_data, MatchFree>(
        pcre2_match_data_create_from_pattern(code_.get(), nullptr));
  }

 private:
  std::unique_ptr<pcre2_code, CodeFree> code_;
};

PreTokenizer::PreTokenizer(PreTokenizer&&) noexcept = default;
PreTokenizer& PreTokenizer::operator=(PreTokenizer&&) noexcept = default;
PreTokenizer::~PreTokenizer() = default;

PreTokenizer::PreTokenizer(std::string_view name) {
  std::vector<std::string_view> known;
  for (const Kind& kind : kinds()) {
    known.push_back(kind.name);
    if (kind.name != name) continue;
    takes_whole_words_ = kind.takes_whole_words;
    for (const std::string_view pattern : kind.expressions) expressions_.emplace_back(pattern);
    return;
  }
  throw InputError(fmt::format(
      "tokenizer.ggml.pre: expected one of {}, found \"{}\", which is not supported yet",
      fmt::join(known, ", "), name));
}

std::vector<std::string_view> PreTokenizer::split(std::string_view text) const {
  std::vector<std::string_view> pieces;
  const auto split_valid = [&](std::string_view valid) {
    std::vector<std::string_view> parts = {valid};
    for (const Expression& expression : expressions_) {
      const auto match = expression.new_match();
      std::vector<std::string_view> finer;
      for (const std::string_view part : parts) expression.split(part, match.get(), finer);
      parts = std::move(finer);
    }
    pieces.insert(pieces.end(), parts.begin(), parts.end());
  };

  std::size_t begin = 0;
  for (std::size_t at = 0; at < text.size();) {
    const Utf8Head head = utf8_head(text.substr(at));
    if (head.state != Utf8::whole) {
      if (at > begin) split_valid(text.substr(begin, at - begin));
      pieces.push_back(text.substr(at, head.length));
      begin = at + head.length;
    }
    at += head.length;
  }
  if (begin < text.size()) split_valid(text.substr(begin));
  return pieces;
}

}  // namespace presil
