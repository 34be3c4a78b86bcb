// A hash of everything a channel did, into which a repeated stretch folds in O(log n).
//
// Each command contributes four numbers: ticks since the channel's last command, the command, the
// bank counted over the pseudo-channels, and the row less the last row activated in that bank,
// modulo the rows of a bank (0 for all but ACT). The hash is the polynomial h = h x B + number over
// all of them, modulo 2^61
// - 1. Two different logs of n commands collide with a chance of about 4 n / 2^61.
#pragma once

#include <cstdint>

#include "dram/command.h"

namespace presil::dram {

/// Arithmetic modulo the prime 2^61 - 1.
namespace mod61 {
inline constexpr std::uint64_t kModulus = (std::uint64_t{1} << 61) - 1;

constexpr std::uint64_t reduce(std::uint64_t x) {
  x = (x & kModulus) + (x >> 61);
  return x >= kModulus ? x - kModulus : x;
}
constexpr std::uint64_t of(std::int64_t x) {
  return x >= 0 ? reduce(static_cast<std::uint64_t>(x))
                : kModulus - reduce(static_cast<std::uint64_t>(-x));
}
/// Requires a, b <= kModulus.
constexpr std::uint64_t times(std::uint64_t a, std::uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a) * b;
  return reduce((static_cast<std::uint64_t>(product) & kModulus) +
                static_cast<std::uint64_t>(product >> 61));
}
constexpr std::uint64_t power(std::uint64_t base, std::int64_t exponent) {
  std::uint64_t result = 1;
  for (; exponent > 0; exponent >>= 1, base = times(base, base)) {
    if ((exponent & 1) != 0) result = times(result, base);
  }
  return result;
}
}  // namespace mod61

class LogHash {
 public:
  /// `bank` counts over the pseudo-channels.
  void append(Tick since_last, Command command, int bank, std::int64_t row_step) {
    append(since_last, which(command, bank), row_step);
  }
  /// The same, given which(command, bank).
  void append(Tick since_last, std::uint64_t which, std::int64_t row_step) {
    using namespace mod61;
    const std::uint64_t numbers = times(kBase3, of(since_last)) + which + of(row_step);
    value_ = reduce(times(kBase4, value_) + reduce(numbers));
    ++commands_;
  }
  static std::uint64_t which(Command command, int bank) {
    return mod61::times(kBase2, static_cast<std::uint64_t>(command)) +
           mod61::times(kBase, static_cast<std::uint64_t>(bank));
  }
  /// As if all that `later` saw had been appended.
  void append(const LogHash& later) {
    value_ = mod61::reduce(mod61::times(value_, later.shift()) + later.value_);
    commands_ += later.commands_;
  }
  /// What was appended since this was `earlier`.
  LogHash since(const LogHash& earlier) const {
    LogHash result;
    result.commands_ = commands_ - earlier.commands_;
    const std::uint64_t before = mod61::times(earlier.value_, result.shift());
    result.value_ = mod61::reduce(value_ + mod61::kModulus - before);
    return result;
  }
  /// What this saw, `times` times in a row.
  LogHash repeated(std::int64_t times) const {
    LogHash result, power = *this;
    for (; times > 0; times >>= 1, power.append(LogHash(power))) {
      if ((times & 1) != 0) result.append(power);
    }
    return result;
  }

  std::uint64_t value() const { return value_; }
  std::int64_t commands() const { return commands_; }
  friend bool operator==(const LogHash&, const LogHash&) = default;

 private:
  static constexpr std::uint64_t kBase = 0x1b873593cc9e2d51 % mod61::kModulus;
  static constexpr std::uint64_t kBase2 = mod61::times(kBase, kBase);
  static constexpr std::uint64_t kBase3 = mod61::times(kBase2, kBase);
  static constexpr std::uint64_t kBase4 = mod61::times(kBase3, kBase);

  /// What a value is multiplied by when all that this saw follows it.
  std::uint64_t shift() const { return mod61::power(kBase4, commands_); }

  std::uint64_t value_ = 0;
  std::int64_t commands_ = 0;
};

}  // namespace presil::dram
