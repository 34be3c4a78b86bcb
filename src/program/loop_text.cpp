#include "program/loop_text.h"

#include <charconv>

#include <fmt/format.h>

namespace presil {
namespace {

constexpr Axis kAllAxes[] = {Axis::m, Axis::n, Axis::k, Axis::s, Axis::h,
                             Axis::q, Axis::c, Axis::d, Axis::v};

}  // namespace

std::string print(const Loop& loop) {
  return fmt::format("{}/{} {}", to_string(loop.axis), loop.tile,
                     loop.over == Over::cores ? "cores" : "time");
}

std::optional<Loop> parse_tile(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  for (const Axis axis : kAllAxes) {
    if (to_string(axis) != text.substr(0, slash)) continue;
    Loop loop;
    loop.axis = axis;
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data() + slash + 1, end, loop.tile);
    if (error != std::errc() || stop != end || loop.tile < 1) return std::nullopt;
    return loop;
  }
  return std::nullopt;
}

std::optional<Loop> parse_loop(std::string_view text) {
  const std::size_t blank = text.find(' ');
  if (blank == std::string_view::npos) return std::nullopt;
  auto loop = parse_tile(text.substr(0, blank));
  const std::string_view over = text.substr(blank + 1);
  if (!loop || (over != "cores" && over != "time")) return std::nullopt;
  loop->over = over == "cores" ? Over::cores : Over::time;
  return loop;
}

}  // namespace presil
