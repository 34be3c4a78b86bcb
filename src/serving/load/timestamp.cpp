#include "serving/load/timestamp.h"

#include <algorithm>
#include <chrono>

namespace presil::serving {
namespace {

/// Takes `digits` decimal digits off the front of `text`; -1 when they are not there.
int take_number(std::string_view& text, std::size_t digits) {
  if (text.size() < digits) return -1;
  int value = 0;
  for (const char c : text.substr(0, digits)) {
    if (c < '0' || c > '9') return -1;
    value = value * 10 + (c - '0');
  }
  text.remove_prefix(digits);
  return value;
}

bool take(std::string_view& text, char expected) {
  if (!text.starts_with(expected)) return false;
  text.remove_prefix(1);
  return true;
}

}  // namespace

std::optional<Nanoseconds> parse_timestamp(std::string_view text) {
  const int year = take_number(text, 4);
  if (!take(text, '-')) return std::nullopt;
  const int month = take_number(text, 2);
  if (!take(text, '-')) return std::nullopt;
  const int day = take_number(text, 2);
  if (!take(text, ' ') && !take(text, 'T')) return std::nullopt;
  const int hour = take_number(text, 2);
  if (!take(text, ':')) return std::nullopt;
  const int minute = take_number(text, 2);
  if (!take(text, ':')) return std::nullopt;
  const int second = take_number(text, 2);
  if (year < 1970 || year > 2099 || month < 0 || day < 0) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  const auto within = [](int value, int end) { return value >= 0 && value < end; };
  if (!date.ok() || !within(hour, 24) || !within(minute, 60) || !within(second, 60)) {
    return std::nullopt;
  }

  std::int64_t fraction = 0;
  if (take(text, '.')) {
    std::size_t digits = 0;
    while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9') ++digits;
    if (digits == 0 || digits > 9) return std::nullopt;
    fraction = take_number(text, digits);
    for (; digits < 9; ++digits) fraction *= 10;
  }
  if (!text.empty() && text != "Z" && text != "+00:00") return std::nullopt;
  const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  return Nanoseconds((((days * 24 + hour) * 60 + minute) * 60 + second) * 1'000'000'000 + fraction);
}

}  // namespace presil::serving
