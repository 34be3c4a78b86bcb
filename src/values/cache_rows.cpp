#include "values/cache_rows.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>

#include <fmt/format.h>

#include "base/error.h"
#include "values/blocks.h"
#include "values/rounding.h"

namespace presil {
namespace {

/// An eight-bit float: OCP's layouts.
struct SmallFloat {
  int mantissa_bits;
  int bias;
  float largest;
};
constexpr SmallFloat kE4M3{3, 7, 448};
constexpr SmallFloat kE5M2{2, 15, 57344};
constexpr std::uint8_t kNaN = 0x7F;  // in both

/// The nearest code, ties to even; what is beyond the largest number becomes it.
std::uint8_t encode(const SmallFloat& f, float value) {
  if (std::isnan(value)) return kNaN;
  const float magnitude = std::min(std::fabs(value), f.largest);
  const int exponent = magnitude > 0 ? std::max(std::ilogb(magnitude), 1 - f.bias) : 1 - f.bias;
  const auto units =
      static_cast<int>(std::nearbyint(std::ldexp(magnitude, f.mantissa_bits - exponent)));
  // Units of a normal number start at 2^mantissa_bits, which is exponent field 1 and mantissa 0.
  const int code = ((exponent + f.bias - 1) << f.mantissa_bits) + units;
  return static_cast<std::uint8_t>(code | (std::signbit(value) ? 0x80 : 0));
}

float decode(const SmallFloat& f, std::uint8_t code) {
  if ((code & kNaN) == kNaN) return std::nanf("");
  const int exponent = std::max((code & 0x7F) >> f.mantissa_bits, 1);
  const int units = (code & 0x7F) - ((exponent - 1) << f.mantissa_bits);
  const float magnitude =
      std::ldexp(static_cast<float>(units), exponent - f.bias - f.mantissa_bits);
  return (code & 0x80) != 0 ? -magnitude : magnitude;
}

std::array<float, 256> all_codes(const SmallFloat& f) {
  std::array<float, 256> values{};
  for (std::size_t code = 0; code < values.size(); ++code) {
    values[code] = decode(f, static_cast<std::uint8_t>(code));
  }
  return values;
}

/// The largest number of a format that a cache has, or nothing.
std::optional<float> largest_of(Format format) {
  switch (format) {
    case Format::fp32:
      return std::numeric_limits<float>::max();
    case Format::fp16:
      return 65504.0f;
    case Format::bf16:
      return 0x1.FEp127f;
    case Format::fp8_e4m3:
      return kE4M3.largest;
    case Format::fp8_e5m2:
      return kE5M2.largest;
    case Format::int8:
      return 127.0f;
    default:
      return std::nullopt;
  }
}

/// Writes `values` as codes of `format` from `at` on.
void encode(Format format, std::span<const float> values, std::byte* at) {
  const auto each = [&](auto code_of) {
    for (const float v : values) {
      const auto code = code_of(v);
      std::memcpy(at, &code, sizeof code);
      at += sizeof code;
    }
  };
  switch (format) {
    case Format::fp16:
      return each([](float v) { return to_half(v); });
    case Format::bf16:
      return each([](float v) {
        return static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(round_to_bfloat(v)) >> 16);
      });
    case Format::fp8_e4m3:
      return each([](float v) { return encode(kE4M3, v); });
    case Format::fp8_e5m2:
      return each([](float v) { return encode(kE5M2, v); });
    case Format::int8:
      return each([](float v) {
        return static_cast<std::int8_t>(std::clamp(std::nearbyint(v), -127.0f, 127.0f));
      });
    default:
      std::memcpy(at, values.data(), values.size_bytes());
  }
}

/// The numbers of the codes of `format` that start at `at`.
void decode(Format format, const std::byte* at, std::span<float> out) {
  static const std::array<float, 256> e4m3 = all_codes(kE4M3);
  static const std::array<float, 256> e5m2 = all_codes(kE5M2);
  const auto each = [&]<class Code>(Code, auto number_of) {
    for (std::size_t i = 0; i < out.size(); ++i) {
      Code code;
      std::memcpy(&code, at + i * sizeof code, sizeof code);
      out[i] = number_of(code);
    }
  };
  switch (format) {
    case Format::fp16:
      return each(std::uint16_t{}, from_half);
    case Format::bf16:
      return each(std::uint16_t{}, from_bfloat);
    case Format::fp8_e4m3:
      return each(std::uint8_t{}, [](std::uint8_t code) { return e4m3[code]; });
    case Format::fp8_e5m2:
      return each(std::uint8_t{}, [](std::uint8_t code) { return e5m2[code]; });
    case Format::int8:
      return each(std::int8_t{}, [](std::int8_t code) { return static_cast<float>(code); });
    default:
      std::memcpy(out.data(), at, out.size_bytes());
  }
}

std::size_t element_bytes(Format format) {
  return static_cast<std::size_t>(bytes_of(format, 1).count());
}

}  // namespace

CacheRows::CacheRows(const Operand& stored, std::int64_t heads, std::int64_t head_dim)
    : stored_(stored), heads_(heads), head_dim_(head_dim) {
  const bool scaled = stored.scaling == Scaling::token;
  if (!largest_of(stored.format) || !(scaled || stored.scaling == Scaling::none)) {
    throw InputError(
        fmt::format("numerics.kv_cache: expected fp32, fp16, bf16, fp8_e4m3, fp8_e5m2 or int8, "
                    "with scaling none or token, found {} with scaling {}",
                    to_string(stored.format), to_string(stored.scaling)));
  }
}

void CacheRows::append(std::span<const float> row) {
  const auto d = static_cast<std::size_t>(head_dim_);
  std::size_t at = codes_.size();
  codes_.resize(at + row.size() * element_bytes(stored_.format));
  std::vector<float> scaled(d);
  for (std::size_t first = 0; first < row.size(); first += d) {
    std::copy_n(row.begin() + static_cast<std::ptrdiff_t>(first), d, scaled.begin());
    if (stored_.scaling == Scaling::token) {
      float largest = 0;
      for (const float v : scaled) largest = std::max(largest, std::fabs(v));
      const float scale = largest > 0 ? largest / *largest_of(stored_.format) : 1.0f;
      scales_.push_back(scale);
      const float inverse = 1.0f / scale;
      for (float& v : scaled) v *= inverse;
    }
    encode(stored_.format, scaled, &codes_[at]);
    at += d * element_bytes(stored_.format);
  }
  if (tap_.log != nullptr) tap_.touch(true, size_, size_ + 1);
  ++size_;
}

void CacheRows::read(std::int64_t begin, std::int64_t end, Format operands,
                     std::span<float> out) const {
  CHECK(begin >= 0 && begin < end && end <= size_, "a cache is read where it has tokens");
  if (tap_.log != nullptr) tap_.touch(false, begin, end);
  const auto d = static_cast<std::size_t>(head_dim_);
  const auto first_head = static_cast<std::size_t>(begin * heads_);
  decode(stored_.format, &codes_[first_head * d * element_bytes(stored_.format)], out);
  if (stored_.scaling == Scaling::token) {
    for (std::size_t i = 0; i < out.size(); ++i) out[i] *= scales_[first_head + i / d];
  }
  round_to(operands, out);
}

}  // namespace presil
