#include "base/error.h"

#include <algorithm>

#include <fmt/format.h>

namespace presil {

namespace {

/// Text of an input, which may be anything, fit for a terminal: of bounded length, and unable to
/// drive it.
std::string harmless(std::string_view text) {
  constexpr std::size_t kLongest = 1000;
  std::string result(text.substr(0, kLongest));
  if (text.size() > kLongest) result += "...";
  for (char& c : result) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) c = ' ';
  }
  return result;
}

}  // namespace

std::string render(const Diagnostic& d) {
  std::string place = d.file;
  if (d.line > 0) place += fmt::format(":{}:{}", d.line, d.column);
  if (!place.empty()) place += ": ";
  std::string text = fmt::format("{}error: {}\n", harmless(place), harmless(d.message));
  const int room = static_cast<int>(d.source_line.size()) - d.column;  // behind the caret
  if (d.line > 0 && !d.source_line.empty() && room >= -1) {
    const std::string number = std::to_string(d.line);
    const int tail = std::max(0, std::min(d.length - 1, room));
    text += fmt::format("  {} | {}\n  {} | {}^{}\n", number, harmless(d.source_line),
                        std::string(number.size(), ' '),
                        std::string(static_cast<std::size_t>(std::max(0, d.column - 1)), ' '),
                        std::string(static_cast<std::size_t>(tail), '~'));
  }
  return text;
}

namespace {
std::string render_all(const std::vector<Diagnostic>& diagnostics) {
  std::string text;
  for (const Diagnostic& d : diagnostics) text += render(d);
  return text;
}
}  // namespace

InputError::InputError(std::vector<Diagnostic> diagnostics)
    : std::runtime_error(render_all(diagnostics)), diagnostics_(std::move(diagnostics)) {}

InputError::InputError(const std::string& message)
    : InputError({Diagnostic{.file = {}, .message = message, .source_line = {}}}) {}

void fail_check(const char* condition, std::string_view promise, const char* file, int line) {
  throw InternalError(
      fmt::format("{}:{}: broken promise: {} ({})", file, line, promise, condition));
}

}  // namespace presil
