#include "values/cache_rows.h"

#include <bit>
#include <cstring>

#include <fmt/format.h>

#include "base/error.h"
#include "values/ggml/block_formats.h"
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

/// The numbers of codes of `format`.
void unpack(Format format, std::span<const std::byte> codes, std::span<float> out) {
  if (format != Format::int8) return dequantise(format, codes, out);
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = static_cast<float>(static_cast<std::int8_t>(codes[i]));
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
  const std::size_t width = element_bytes(stored_.format);
  unpack(stored_.format, std::span(codes_).subspan(first_head * d * width, out.size() * width),
         out);
  if (stored_.scaling == Scaling::token) {
    for (std::size_t i = 0; i < out.size(); ++i) out[i] *= scales_[first_head + i / d];
  }
  round_all(operands, Overflow::infinite, out);
}

}  // namespace presil
