#include "values/number/codes.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "values/number/number.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "values/number/codes.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h:
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace presil {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

// At most 16 lanes, so that blocks of 16 and 32 are whole vectors.
using Floats = hn::CappedTag<float, 16>;
using Words = hn::RebindToUnsigned<Floats>;
using V = hn::Vec<Floats>;

/// Leaves numbers as they are.
struct Keep {
  HWY_INLINE V operator()(V x) const { return x; }
};

/// Rounds to a float with fp32's exponents (bf16, tf32): in the integer that holds it, what is cut
/// is rounded by a carry.
template <int kCut>
struct Shorten {
  float beyond;
  HWY_INLINE V operator()(V x) const {
    const Floats f;
    const Words w;
    const auto bits = hn::BitCast(w, x);
    const auto odd = hn::And(hn::ShiftRight<kCut>(bits), hn::Set(w, 1));
    const auto carried = hn::Add(bits, hn::Add(odd, hn::Set(w, (1u << (kCut - 1)) - 1)));
    const V short_ = hn::BitCast(f, hn::And(carried, hn::Set(w, ~((1u << kCut) - 1))));
    const V bounded = hn::IfThenElse(hn::Eq(hn::Abs(short_), hn::Inf(f)),
                                     hn::CopySign(hn::Set(f, beyond), x), short_);
    return hn::IfThenElse(hn::Eq(x, x), bounded, x);
  }
};

/// Rounds to a float with fewer exponents: adding a power of two whose last place is the wanted
/// one lets the adder round.
struct Narrow {
  float largest;
  float beyond;
  std::uint32_t min_exponent;  // as fp32's bits
  std::uint32_t to_magic;      // from a number's exponent to the power of two's, as fp32's bits
  HWY_INLINE V operator()(V x) const {
    const Floats f;
    const Words w;
    const V magnitude = hn::Min(hn::Abs(x), hn::Set(f, 2 * largest));
    const auto exponent = hn::And(hn::BitCast(w, magnitude), hn::Set(w, 0x7F800000u));
    const auto place = hn::Max(exponent, hn::Set(w, min_exponent));
    const V magic = hn::BitCast(f, hn::Add(place, hn::Set(w, to_magic)));
    const V rounded = hn::Sub(hn::Add(magnitude, magic), magic);
    const V bounded =
        hn::IfThenElse(hn::Gt(rounded, hn::Set(f, largest)), hn::Set(f, beyond), rounded);
    return hn::IfThenElse(hn::Eq(x, x), hn::CopySignToAbs(bounded, x), x);
  }
};

HWY_INLINE Narrow NarrowTo(const FloatShape& shape, float beyond) {
  return {shape.largest, beyond, static_cast<std::uint32_t>(shape.min_exponent + 127) << 23,
          static_cast<std::uint32_t>(23 - shape.mantissa_bits) << 23};
}

/// Rounds to an integer of at most `largest` either way.
struct Whole {
  float largest;
  HWY_INLINE V operator()(V x) const {
    const Floats f;
    const V number = hn::IfThenElseZero(hn::Eq(x, x), x);
    const V clamped = hn::Max(hn::Min(number, hn::Set(f, largest)), hn::Set(f, -largest));
    // Below 2^22 the sum's last place is 1; the sign of a zero is kept as nearbyint keeps it.
    const V magic = hn::Set(f, 0x1.8p23f);
    return hn::CopySign(hn::Sub(hn::Add(clamped, magic), magic), number);
  }
};

/// codes = round(x * inverse) * factor.
template <class Round>
HWY_INLINE void EncodeSpan(const Round& round, float inverse, float factor, float* x,
                           std::size_t count) {
  const Floats f;
  const V by = hn::Set(f, inverse);
  const V times = hn::Set(f, factor);
  for (std::size_t i = 0; i < count; i += hn::Lanes(f)) {
    hn::StoreU(hn::Mul(round(hn::Mul(hn::LoadU(f, x + i), by)), times), f, x + i);
  }
}

float LargestMagnitude(const float* x, std::size_t count) {
  // As integers, magnitudes are ordered as floats are, and NaNs come last.
  const Floats f;
  const hn::RebindToSigned<Floats> w;
  auto largest = hn::Zero(w);
  std::size_t i = 0;
  for (; i + hn::Lanes(f) <= count; i += hn::Lanes(f)) {
    largest = hn::Max(largest, hn::BitCast(w, hn::Abs(hn::LoadU(f, x + i))));
  }
  std::int32_t most = hn::GetLane(hn::MaxOfLanes(w, largest));
  for (; i < count; ++i) {
    most = std::max(most, std::bit_cast<std::int32_t>(std::fabs(x[i])));
  }
  return std::bit_cast<float>(most);
}

constexpr std::uint32_t kExponent = 0x7F800000u;  // the bits of fp32's exponent

/// 2^(floor(log2 magnitude) - max_exponent), as an E8M0 scale.
float MxScale(float magnitude, int max_exponent) {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(magnitude);
  if (bits >= kExponent) return std::numeric_limits<float>::quiet_NaN();
  const int field = static_cast<int>(bits >> 23) - max_exponent;
  return field <= 0 ? 0x1p-127f : std::bit_cast<float>(static_cast<std::uint32_t>(field) << 23);
}

template <class Round>
HWY_INLINE void EncodeMx(const Round& round, int max_exponent, float* x, std::size_t count) {
  constexpr std::size_t kWidth = 32;
  for (std::size_t at = 0; at < count; at += kWidth) {
    const float scale = MxScale(LargestMagnitude(x + at, kWidth), max_exponent);
    EncodeSpan(round, 1 / scale, scale, x + at, kWidth);
  }
}

/// The scales of some blocks of nv_16, from their magnitudes: in fp8_e4m3, and what codes are
/// multiplied by.
HWY_INLINE void NvScales(float largest, float tensor_scale, float* magnitudes, float* inverses,
                         std::size_t count) {
  const Floats f;
  const Narrow to_e4m3 = NarrowTo(float_shape(Format::fp8_e4m3), 448);
  const V t = hn::Set(f, tensor_scale);
  for (std::size_t i = 0; i < count; i += hn::Lanes(f)) {
    const V magnitude = hn::Load(f, magnitudes + i);
    const V wanted = hn::Div(hn::Div(magnitude, hn::Set(f, largest)), t);
    const V scale = to_e4m3(hn::IfThenElse(hn::IsFinite(magnitude), wanted, hn::NaN(f)));
    hn::Store(scale, f, magnitudes + i);
    const V inverse = hn::Div(hn::Set(f, 1), hn::Mul(scale, t));
    hn::Store(hn::IfThenElse(hn::Eq(scale, hn::Zero(f)), hn::Zero(f), inverse), f, inverses + i);
  }
}

template <class Round>
HWY_INLINE void EncodeNv(const Round& round, float largest, float tensor_scale, float* x,
                         std::size_t count) {
  constexpr std::size_t kWidth = 16;
  constexpr std::size_t kBlocks = 16;  // whose divisions are done together
  alignas(64) float scales[kBlocks] = {};
  alignas(64) float inverses[kBlocks];
  for (std::size_t at = 0; at < count; at += kBlocks * kWidth) {
    const std::size_t blocks = std::min(kBlocks, (count - at) / kWidth);
    for (std::size_t b = 0; b < blocks; ++b) {
      scales[b] = LargestMagnitude(x + at + b * kWidth, kWidth);
    }
    NvScales(largest, tensor_scale, scales, inverses, kBlocks);
    for (std::size_t b = 0; b < blocks; ++b) {
      EncodeSpan(round, inverses[b], scales[b], x + at + b * kWidth, kWidth);
    }
  }
}

/// Whole vectors and blocks of a row only.
template <class Round>
HWY_INLINE void Encode(const Round& round, const Operand& operand, const float* scales, float* x,
                       std::size_t count, std::size_t span) {
  if (operand.scaling == Scaling::mx_32) {
    EncodeMx(round, float_shape(operand.format).max_exponent, x, count);
  } else if (operand.scaling == Scaling::nv_16) {
    EncodeNv(round, largest_number(operand.format), *scales, x, count);
  } else {
    for (std::size_t at = 0; at < count; at += span, ++scales) {
      EncodeSpan(round, 1 / *scales, 1, x + at, std::min(span, count - at));
    }
  }
}

void EncodeRow(const Operand& operand, Overflow overflow, const float* scales, float* x,
               std::size_t count, std::size_t span) {
  const auto encode = [&](const auto& round)
                          HWY_ATTR { Encode(round, operand, scales, x, count, span); };
  if (operand.format == Format::fp32) return encode(Keep{});
  const float beyond = beyond_largest(operand.format, overflow);
  if (is_integer_format(operand.format)) return encode(Whole{largest_number(operand.format)});
  if (operand.format == Format::bf16) return encode(Shorten<16>{beyond});
  if (operand.format == Format::tf32) return encode(Shorten<13>{beyond});
  encode(NarrowTo(float_shape(operand.format), beyond));
}

void Scale(float factor, float* x, std::size_t count) {
  const Floats f;
  const V times = hn::Set(f, factor);
  std::size_t i = 0;
  for (; i + hn::Lanes(f) <= count; i += hn::Lanes(f)) {
    hn::StoreU(hn::Mul(hn::LoadU(f, x + i), times), f, x + i);
  }
  for (; i < count; ++i) x[i] *= factor;
}

void MultiplyAll(const float* factors, float* x, std::size_t count) {
  const Floats f;
  std::size_t i = 0;
  for (; i + hn::Lanes(f) <= count; i += hn::Lanes(f)) {
    hn::StoreU(hn::Mul(hn::LoadU(f, x + i), hn::LoadU(f, factors + i)), f, x + i);
  }
  for (; i < count; ++i) x[i] *= factors[i];
}

void RaiseAll(const float* x, float* largest, std::size_t count) {
  const Floats f;
  std::size_t i = 0;
  for (; i + hn::Lanes(f) <= count; i += hn::Lanes(f)) {
    const V magnitude = hn::Abs(hn::LoadU(f, x + i));
    const V most = hn::LoadU(f, largest + i);
    hn::StoreU(hn::IfThenElse(hn::Gt(magnitude, most), magnitude, most), f, largest + i);
  }
  for (; i < count; ++i) largest[i] = std::max(largest[i], std::fabs(x[i]));
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace presil
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace presil {
namespace {

HWY_EXPORT(LargestMagnitude);
HWY_EXPORT(EncodeRow);
HWY_EXPORT(Scale);
HWY_EXPORT(MultiplyAll);
HWY_EXPORT(RaiseAll);

constexpr std::size_t kBlock = 32;  // whole vectors, and whole blocks of mx_32 and nv_16

}  // namespace

float largest_magnitude(std::span<const float> values) {
  return HWY_DYNAMIC_DISPATCH(LargestMagnitude)(values.data(), values.size());
}

void encode_row(const Operand& operand, Overflow overflow, std::span<const float> scales,
                std::span<float> row) {
  const std::size_t whole = row.size() / kBlock * kBlock;
  const auto span = static_cast<std::size_t>(scale_span(operand.scaling, std::ssize(row)));
  HWY_DYNAMIC_DISPATCH(EncodeRow)(operand, overflow, scales.data(), row.data(), whole, span);
  if (whole == row.size()) return;
  const std::size_t last = span == row.size() ? 0 : whole / span;
  plain_encode_row(operand, overflow, scales.subspan(last), row.subspan(whole));
}

void apply_scales(Scaling scaling, std::span<const float> scales, std::span<float> row) {
  const auto span = static_cast<std::size_t>(scale_span(scaling, std::ssize(row)));
  for (std::size_t at = 0; at < row.size(); at += span) {
    const std::span<float> part = row.subspan(at, std::min(span, row.size() - at));
    HWY_DYNAMIC_DISPATCH(Scale)(scales[at / span], part.data(), part.size());
  }
}

void multiply_all(std::span<const float> factors, std::span<float> row) {
  HWY_DYNAMIC_DISPATCH(MultiplyAll)(factors.data(), row.data(), row.size());
}

void raise_all(std::span<const float> row, std::span<float> largest) {
  HWY_DYNAMIC_DISPATCH(RaiseAll)(row.data(), largest.data(), largest.size());
}

void round_all(Format format, Overflow overflow, std::span<float> values) {
  if (format == Format::fp32) return;
  constexpr float kOne[] = {1};
  encode_row({format}, overflow, kOne, values);
}

}  // namespace presil
#endif  // HWY_ONCE
