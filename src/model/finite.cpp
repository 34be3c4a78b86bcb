#include "model/finite.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <initializer_list>
#include <span>
#include <vector>

#include "base/error.h"
#include "base/parallel.h"

namespace presil {
namespace {

using ByteSpan = std::span<const std::byte>;

constexpr std::int64_t kScaledBlock = 128;  // rows and columns that share one of block_128
constexpr std::size_t kPiece = std::size_t{1} << 20;  // bytes a thread takes at a time, about

/// Whether element number `i` of `bytes` (a T) has all bits of `mask` set.
template <class T>
bool has_bits(ByteSpan bytes, std::size_t i, T mask) {
  T bits;
  std::memcpy(&bits, bytes.data() + i * sizeof bits, sizeof bits);
  return (bits & mask) == mask;
}

/// The first of the elements (T each) with all bits of `mask` set; their number when there is none.
template <class T>
std::size_t find_bits(ByteSpan bytes, T mask) {
  const std::size_t n = bytes.size() / sizeof(T);
  bool any = false;  // no early exit, so that the loop becomes vector instructions
  for (std::size_t i = 0; i < n; ++i) any |= has_bits(bytes, i, mask);
  std::size_t first = any ? 0 : n;
  while (any && !has_bits(bytes, first, mask)) ++first;
  return first;
}

/// The first block of which an fp16 at one of `offsets` is not finite.
std::size_t find_block(Format format, ByteSpan bytes, std::initializer_list<std::size_t> offsets) {
  const auto size = static_cast<std::size_t>(info(format).block_bytes);
  const std::size_t n = bytes.size() / size;
  for (std::size_t b = 0; b < n; ++b) {
    for (const std::size_t offset : offsets) {
      if (has_bits<std::uint16_t>(bytes.subspan(b * size + offset), 0, 0x7c00)) return b;
    }
  }
  return n;
}

/// The first element of `bytes`, in blocks, that is not finite; the number of blocks if all are.
/// Where the scales lie in a block: ggml-common.h.
std::size_t find_in(Format format, ByteSpan bytes) {
  switch (format) {
    case Format::fp32:
    case Format::tf32:
      return find_bits<std::uint32_t>(bytes, 0x7f800000);
    case Format::fp16:
      return find_bits<std::uint16_t>(bytes, 0x7c00);
    case Format::bf16:
      return find_bits<std::uint16_t>(bytes, 0x7f80);
    case Format::fp8_e4m3:  // no infinity, and one NaN of either sign
      return find_bits<std::uint8_t>(bytes, 0x7f);
    case Format::fp8_e5m2:
      return find_bits<std::uint8_t>(bytes, 0x7c);
    case Format::fp4_e2m1:
    case Format::int8:
    case Format::int4:
      return bytes.size();
    case Format::q8_0:
    case Format::q4_0:
    case Format::q5_0:
      return find_block(format, bytes, {0});
    case Format::q4_1:
    case Format::q5_1:
    case Format::q8_1:
    case Format::q4_K:
    case Format::q5_K:
      return find_block(format, bytes, {0, 2});
    case Format::q6_K:
      return find_block(format, bytes, {208});
    case Format::q8_K:
      throw InternalError("weights in a format of activations");
  }
  throw InternalError("a format of unknown layout");
}

/// Where the first scale applies that is not finite.
std::optional<NotFinite> find_in_scales(const WeightTensor& t) {
  const auto bad = std::find_if(t.scales.begin(), t.scales.end(),
                                [](float scale) { return !std::isfinite(scale); });
  if (bad == t.scales.end()) return std::nullopt;
  const std::int64_t index = bad - t.scales.begin();
  if (t.scaling == Scaling::channel) return NotFinite{index, 0, true};
  if (t.scaling != Scaling::block_128) return NotFinite{0, 0, true};
  const std::int64_t across = (t.shape.back() + kScaledBlock - 1) / kScaledBlock;
  return NotFinite{index / across * kScaledBlock, index % across * kScaledBlock, true};
}

}  // namespace

std::optional<NotFinite> find_not_finite(const WeightTensor& t) {
  if (const auto scale = find_in_scales(t)) return scale;
  const FormatInfo& format = info(t.format);
  const auto block = static_cast<std::size_t>(format.block_bytes);
  const std::size_t piece = kPiece / block * block;
  const std::size_t n_pieces = (t.data.size() + piece - 1) / piece;
  std::vector<std::size_t> found(n_pieces);  // bytes into the tensor, or its size
  parallel_each(n_pieces, [&](std::size_t i) {
    const ByteSpan bytes = t.data.subspan(i * piece, std::min(piece, t.data.size() - i * piece));
    const std::size_t first = find_in(t.format, bytes);
    found[i] = first * block == bytes.size() ? t.data.size() : i * piece + first * block;
  });
  const auto bad =
      std::find_if(found.begin(), found.end(), [&](std::size_t at) { return at < t.data.size(); });
  if (bad == found.end()) return std::nullopt;
  const auto element = static_cast<std::int64_t>(*bad / block) * format.block_elements;
  return NotFinite{element / t.shape.back(), element % t.shape.back(), is_block_format(t.format)};
}

}  // namespace presil
