#include "app/dram_options.h"

#include <charconv>
#include <cmath>
#include <string_view>
#include <system_error>

#include <fmt/format.h>

#include "base/error.h"

namespace presil::app {
namespace {

/// The number that `text` begins with, of which the rest is left; NaN for none.
double take_number(std::string_view& text) {
  double value = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc()) return std::nan("");
  text.remove_prefix(static_cast<std::size_t>(stop - text.data()));
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  return value;
}

}  // namespace

std::int64_t parse_count(const std::string& option, const std::string& text) {
  constexpr double kMost = 1e15;
  std::string_view rest = text;
  double value = take_number(rest);
  if (rest == "k") value *= 1e3;
  if (rest == "M") value *= 1e6;
  if (rest == "G") value *= 1e9;
  const bool known = rest.empty() || rest == "k" || rest == "M" || rest == "G";
  if (!known || !(value >= 0 && value <= kMost) || value != std::floor(value)) {
    throw InputError(fmt::format(
        "{}: expected a whole number such as 2000000, 2e6 or 2M, found '{}'", option, text));
  }
  return static_cast<std::int64_t>(value);
}

double parse_share(const std::string& option, const std::string& text) {
  std::string_view rest = text;
  double value = take_number(rest);
  if (rest == "%") value /= 100;
  if (!(rest.empty() || rest == "%") || !(value > 0 && value <= 1)) {
    throw InputError(fmt::format(
        "{}: expected a share above 0 %, at most 100 %, such as 20%, found '{}'", option, text));
  }
  return value;
}

}  // namespace presil::app
