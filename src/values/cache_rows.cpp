#include "values/cache_rows.h"

#include <array>
#include <bit>
#include <cstring>

#include <fmt/format.h>

#include "base/error.h"
#include "values/number/codes.h"
#include "values/number/number.h"
#include "values/number/rounding.h"

namespace presil {
namespace {

bool is_of_caches(Format format) {
  switch (format) {
    case Format::fp32:
    case Format::fp16:
    case Format::bf16:
    case Format::fp8_e4m3:
    case Format::fp8_e5m2:
    case Format::int8:
      return true;
    default:
      return false;
  }
}

/// Writes numbers of `format` as its codes from `at` on.
void pack(Format format, std::span<const float> numbers, std::byte* at) {
  const auto each = [&](auto code_of) {
    for (const float v : numbers) {
      const auto code = code_of(v);
      std::memcpy(at, &code, sizeof code);
      at += sizeof code;
    }
  };
  switch (format) {
    case Format::fp16:
      return each(to_half);
    case Format::bf16:
      return each([](float v) {
        return static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(v) >> 16);
      });
    case Format::fp8_e4m3:
    case Format::fp8_e5m2:
      return each([&](float v) { return encode_number(format, Overflow::saturate, v); });
    case Format::int8:
      return each([](float v) { return static_cast<std::int8_t>(v); });
    default:
      std::memcpy(at, numbers.data(), numbers.size_bytes());
  }
}

std::array<float, 256> all_codes(Format format) {
  std::array<float, 256> numbers{};
  for (std::size_t code = 0; code < numbers.size(); ++code) {
    numbers[code] = decode_number(format, static_cast<std::uint8_t>(code));
  }
  return numbers;
}

/// The numbers of the codes of `format` that start at `at`.
void unpack(Format format, const std::byte* at, std::span<float> out) {
  static const std::array<float, 256> e4m3 = all_codes(Format::fp8_e4m3);
  static const std::array<float, 256> e5m2 = all_codes(Format::fp8_e5m2);
  const auto each = [&]<class Code>(Code code, auto number_of) {
    for (std::size_t i = 0; i < out.size(); ++i) {
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
  if (!is_of_caches(stored.format) || !(scaled || stored.scaling == Scaling::none)) {
    throw InputError(
        fmt::format("numerics.kv_cache: expected fp32, fp16, bf16, fp8_e4m3, fp8_e5m2 or int8, "
                    "with scaling none or token, found {} with scaling {}",
                    to_string(stored.format), to_string(stored.scaling)));
  }
}

void CacheRows::append(std::span<const float> row) {
  const auto d = static_cast<std::size_t>(head_dim_);
  const std::size_t at = codes_.size();
  codes_.resize(at + row.size() * element_bytes(stored_.format));
  std::vector<float> numbers(row.begin(), row.end());
  for (std::size_t first = 0; first < row.size(); first += d) {
    const std::span<float> head = std::span(numbers).subspan(first, d);
    if (stored_.scaling == Scaling::token) {
      scales_.push_back(scale_of(stored_.format, largest_magnitude(head)));
      encode_row(stored_, Overflow::saturate, std::span(scales_).last(1), head);
    } else {
      round_all(stored_.format, Overflow::saturate, head);
    }
  }
  pack(stored_.format, numbers, &codes_[at]);
  if (tap_.log != nullptr) tap_.touch(true, size_, size_ + 1);
  ++size_;
}

void CacheRows::read(std::int64_t begin, std::int64_t end, Format operands,
                     std::span<float> out) const {
  CHECK(begin >= 0 && begin < end && end <= size_, "a cache is read where it has tokens");
  if (tap_.log != nullptr) tap_.touch(false, begin, end);
  const auto d = static_cast<std::size_t>(head_dim_);
  const auto first_head = static_cast<std::size_t>(begin * heads_);
  unpack(stored_.format, &codes_[first_head * d * element_bytes(stored_.format)], out);
  if (stored_.scaling == Scaling::token) {
    for (std::size_t i = 0; i < out.size(); ++i) out[i] *= scales_[first_head + i / d];
  }
  round_all(operands, Overflow::infinite, out);
}

}  // namespace presil
