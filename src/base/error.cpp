#include "base/error.h"

#include <algorithm>

#include <fmt/format.h>

namespace presil {

std::string render(const Diagnostic& d) {
  std::string place = d.file;
  if (d.line > 0) place += fmt::format(":{}:{}", d.line, d.column);
  std::string text = fmt::format("{}: error: {}\n", place, d.message);
  if (d.line > 0 && !d.source_line.empty()) {
    const std::string number = std::to_string(d.line);
    const int tail = std::max(0, d.length - 1);
    text += fmt::format("  {} | {}\n  {} | {}^{}\n", number, d.source_line,
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
    : std::runtime_error("error: " + message + "\n"),
      diagnostics_{Diagnostic{.file = {}, .message = message, .source_line = {}}} {}

void fail_check(const char* condition, std::string_view promise, const char* file, int line) {
  throw InternalError(
      fmt::format("{}:{}: broken promise: {} ({})", file, line, promise, condition));
}

}  // namespace presil
