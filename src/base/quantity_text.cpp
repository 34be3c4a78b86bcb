#include "base/quantity_text.h"

#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "base/error.h"

namespace presil {
namespace {

struct Unit {
  Dimension dimension;
  std::string_view name;
  double scale;       // in base units
  bool shown = true;  // format_quantity may use it
};

// Base units: byte, picosecond, nanosecond, second, 1/s, hertz, byte/s, bit/s, byte/cycle, cycle,
// watt, joule, joule/bit, dollar, dollar/GB, dollar/kWh, mm2, 1/cm2, mm, volt, flop/s, degree
// Celsius, kelvin/watt.
using enum Dimension;
constexpr Unit kUnits[] = {
    {bytes, "B", 1},
    {bytes, "KB", 1e3},
    {bytes, "MB", 1e6},
    {bytes, "GB", 1e9},
    {bytes, "TB", 1e12},
    {bytes, "KiB", 1024, false},
    {bytes, "MiB", 1048576, false},
    {bytes, "GiB", 1073741824, false},
    {bytes, "TiB", 1099511627776, false},
    {picoseconds, "ps", 1},
    {picoseconds, "ns", 1e3},
    {picoseconds, "us", 1e6},
    {picoseconds, "ms", 1e9},
    {picoseconds, "s", 1e12},
    {seconds, "ps", 1e-12},
    {seconds, "ns", 1e-9},
    {seconds, "us", 1e-6},
    {seconds, "ms", 1e-3},
    {seconds, "s", 1},
    {seconds, "min", 60, false},
    {seconds, "h", 3600, false},
    {seconds, "d", 86400, false},
    {nanoseconds, "ns", 1},
    {nanoseconds, "us", 1e3},
    {nanoseconds, "ms", 1e6},
    {nanoseconds, "s", 1e9},
    {per_second, "/s", 1},
    {per_second, "/min", 1.0 / 60, false},
    {per_second, "/h", 1.0 / 3600, false},
    {per_second, "/d", 1.0 / 86400, false},
    {hertz, "Hz", 1},
    {hertz, "kHz", 1e3},
    {hertz, "MHz", 1e6},
    {hertz, "GHz", 1e9},
    {bytes_per_second, "B/s", 1},
    {bytes_per_second, "KB/s", 1e3},
    {bytes_per_second, "MB/s", 1e6},
    {bytes_per_second, "GB/s", 1e9},
    {bytes_per_second, "TB/s", 1e12},
    {bytes_per_second, "MiB/s", 1048576, false},
    {bytes_per_second, "GiB/s", 1073741824, false},
    {bytes_per_second, "TiB/s", 1099511627776, false},
    {bits_per_second, "b/s", 1},
    {bits_per_second, "Mb/s", 1e6},
    {bits_per_second, "Gb/s", 1e9},
    {bits_per_second, "Tb/s", 1e12},
    {bytes_per_cycle, "B/cycle", 1},
    {bytes_per_cycle, "KiB/cycle", 1024, false},
    {cycles, "cycles", 1},
    {cycles, "cycle", 1, false},
    {watts, "mW", 1e-3},
    {watts, "W", 1},
    {watts, "kW", 1e3},
    {watts, "MW", 1e6},
    {watts, "GW", 1e9, false},
    {joules, "fJ", 1e-15},
    {joules, "pJ", 1e-12},
    {joules, "nJ", 1e-9},
    {joules, "uJ", 1e-6},
    {joules, "mJ", 1e-3},
    {joules, "J", 1},
    {joules, "kJ", 1e3},
    {joules, "Wh", 3600, false},
    {joules, "kWh", 3.6e6, false},
    {joules_per_bit, "fJ/bit", 1e-15},
    {joules_per_bit, "pJ/bit", 1e-12},
    {joules_per_bit, "nJ/bit", 1e-9},
    {joules_per_bit, "mJ/MB", 1e-3 / 8e6, false},
    {joules_per_bit, "J/MB", 1 / 8e6, false},
    {usd, "USD", 1},
    {usd, "kUSD", 1e3, false},
    {usd, "MUSD", 1e6, false},
    {usd_per_gigabyte, "USD/GB", 1},
    {usd_per_kilowatt_hour, "USD/kWh", 1},
    {square_millimetres, "mm2", 1},
    {square_millimetres, "cm2", 100, false},
    {per_square_centimetre, "/cm2", 1},
    {per_square_centimetre, "/mm2", 100, false},
    {millimetres, "um", 1e-3},
    {millimetres, "mm", 1},
    {millimetres, "cm", 10, false},
    {volts, "mV", 1e-3},
    {volts, "V", 1},
    {flops_per_second, "FLOP/s", 1},
    {flops_per_second, "GFLOP/s", 1e9},
    {flops_per_second, "TFLOP/s", 1e12},
    {flops_per_second, "PFLOP/s", 1e15},
    {celsius, "C", 1},
    {kelvin_per_watt, "K/W", 1},
};

bool counts_whole(Dimension d) {
  return d == bytes || d == picoseconds || d == nanoseconds || d == cycles;
}

std::string_view trimmed(std::string_view s) {
  while (!s.empty() && s.front() == ' ') s.remove_prefix(1);
  while (!s.empty() && s.back() == ' ') s.remove_suffix(1);
  return s;
}

}  // namespace

std::string_view example_of(Dimension d) {
  switch (d) {
    case bytes:
      return "256 KiB";
    case picoseconds:
      return "14 ns";
    case nanoseconds:
      return "20 ms";
    case seconds:
      return "3 us";
    case per_second:
      return "5 /s";
    case hertz:
      return "1.35 GHz";
    case bytes_per_second:
      return "2.7 TB/s";
    case bits_per_second:
      return "9.8 Gb/s";
    case bytes_per_cycle:
      return "128 B/cycle";
    case cycles:
      return "4 cycles";
    case watts:
      return "90 W";
    case joules:
      return "0.5 pJ";
    case joules_per_bit:
      return "3.9 pJ/bit";
    case usd:
      return "700 USD";
    case usd_per_gigabyte:
      return "12 USD/GB";
    case usd_per_kilowatt_hour:
      return "0.08 USD/kWh";
    case square_millimetres:
      return "421 mm2";
    case per_square_centimetre:
      return "0.1 /cm2";
    case millimetres:
      return "25.6 mm";
    case volts:
      return "0.85 V";
    case flops_per_second:
      return "989 TFLOP/s";
    case celsius:
      return "43 C";
    case kelvin_per_watt:
      return "4 K/W";
  }
  return "";
}

Bounds bounds_of(Dimension d) {
  switch (d) {
    case bytes:
      return {1, 1e15};
    case picoseconds:
      return {1, 1e12};
    case nanoseconds:
      return {1, 4e18};
    case seconds:
      return {1e-12, 1e10};
    case per_second:
      return {1e-9, 1e9};
    case hertz:
      return {1e6, 1e11};
    case bytes_per_second:
      return {1e6, 1e18};
    case bits_per_second:
      return {1e6, 1e12};
    case bytes_per_cycle:
      return {1e-2, 1e9};
    case cycles:
      return {1, 1e12};
    case watts:
      return {1e-6, 1e11};
    case joules:
      return {1e-18, 1e9};
    case joules_per_bit:
      return {1e-18, 1e-3};
    case usd:
      return {1e-6, 1e12};
    case usd_per_gigabyte:
    case usd_per_kilowatt_hour:
      return {1e-6, 1e6};
    case square_millimetres:
      return {1e-12, 1e5};
    case per_square_centimetre:
      return {1e-9, 1e3};
    case millimetres:
      return {1e-6, 1e4};
    case volts:
      return {1e-2, 1e3};
    case flops_per_second:
      return {1, 1e24};
    case celsius:
      return {1e-3, 1e3};
    case kelvin_per_watt:
      return {1e-3, 1e4};
  }
  return {0, 0};
}

std::string units_of(Dimension d) {
  std::string list;
  for (const Unit& u : kUnits) {
    if (u.dimension == d) list += (list.empty() ? "" : ", ") + std::string(u.name);
  }
  return list;
}

tl::expected<double, std::string> parse_quantity(std::string_view text, Dimension dimension) {
  const std::string_view whole = trimmed(text);
  const auto complain = [&](std::string_view found) {
    return tl::unexpected(fmt::format("expected a value with its unit such as \"{}\", found {}",
                                      example_of(dimension), found));
  };
  double number = 0;
  const auto [end, error] = std::from_chars(whole.data(), whole.data() + whole.size(), number);
  if (error != std::errc() || !std::isfinite(number)) return complain(fmt::format("\"{}\"", whole));
  const std::string_view unit = trimmed(whole.substr(static_cast<std::size_t>(end - whole.data())));
  if (unit.empty()) return complain(fmt::format("{} without a unit", whole));
  for (const Unit& u : kUnits) {
    if (u.dimension != dimension || u.name != unit) continue;
    const double value = number * u.scale;
    if (!counts_whole(dimension)) return value;
    const double rounded = std::round(value);
    // 2.7 KB is 2700 bytes although 2.7 * 1e3 need not be exact in binary.
    if (std::abs(value - rounded) > 1e-6 * std::max(1.0, std::abs(value))) {
      return tl::unexpected(fmt::format("\"{}\" is not a whole number of {}", whole,
                                        dimension == bytes ? "bytes" : "picoseconds or cycles"));
    }
    if (std::abs(rounded) > 9.0e18)
      return complain(fmt::format("\"{}\", which is too large", whole));
    return rounded;
  }
  return tl::unexpected(
      fmt::format("expected a unit out of {}, found \"{}\"", units_of(dimension), whole));
}

std::string format_quantity(double value, Dimension dimension) {
  const Unit* best = nullptr;
  for (const Unit& u : kUnits) {
    if (u.dimension != dimension || !u.shown) continue;
    if (best == nullptr || std::abs(value) >= 0.9995 * u.scale) best = &u;
  }
  CHECK(best != nullptr, "every dimension has a unit to show");
  const double scaled = value / best->scale;
  const double magnitude = std::abs(scaled);
  const int digits = magnitude >= 99.95 ? 0 : magnitude >= 9.995 ? 1 : 2;
  std::string number = fmt::format("{:.{}f}", scaled, digits);
  if (number.find('.') != std::string::npos) {
    while (number.back() == '0') number.pop_back();
    if (number.back() == '.') number.pop_back();
  }
  return fmt::format("{} {}", number, best->name);
}

}  // namespace presil
