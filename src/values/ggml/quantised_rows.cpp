#include "values/ggml/quantised_rows.h"

#include <algorithm>

#include <tbb/blocked_range.h>
#include <tbb/parallel_for.h>

#include "base/error.h"
#include "values/ggml/block_formats.h"
#include "values/number/rounding.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "values/ggml/quantised_rows.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace presil {
namespace {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Lanes = hn::CappedTag<float, kGroup>;

float largest_magnitude(const float* values, std::size_t count) {
  const Lanes d;
  auto largest = hn::Zero(d);
  for (std::size_t i = 0; i < count; i += hn::Lanes(d)) {
    largest = hn::Max(largest, hn::Abs(hn::LoadU(d, values + i)));
  }
  return hn::GetLane(hn::MaxOfLanes(d, largest));
}

/// codes[i] = values[i] * factor to the nearest integer, at most 127.
void round_to_codes(const float* values, float factor, std::size_t count, std::int8_t* codes) {
  const Lanes d;
  const hn::Rebind<std::int8_t, Lanes> bytes;
  const auto factors = hn::Set(d, factor);
  for (std::size_t i = 0; i < count; i += hn::Lanes(d)) {
    const auto nearest = hn::NearestInt(hn::Mul(hn::LoadU(d, values + i), factors));
    hn::StoreU(hn::DemoteTo(bytes, nearest), bytes, codes + i);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace
}  // namespace presil
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace presil {
namespace {

HWY_EXPORT(largest_magnitude);
HWY_EXPORT(round_to_codes);

/// Where the parts of one block are written.
struct BlockOut {
  std::int8_t* codes;
  float* scale;
  float* sum;
  std::int32_t* group_sums;
};

std::int32_t add_groups(const std::int8_t* codes, std::int64_t count, std::int32_t* group_sums) {
  std::int32_t total = 0;
  for (std::int64_t g = 0; g < count / kGroup; ++g, codes += kGroup) {
    std::int32_t sum = 0;
    for (int j = 0; j < kGroup; ++j) sum += codes[j];
    group_sums[g] = sum;
    total += sum;
  }
  return total;
}

void quantise_small(const float* values, const BlockOut& out) {
  const float largest = HWY_DYNAMIC_DISPATCH(largest_magnitude)(values, kSmallBlock);
  const float d = largest / 127.0f;
  const float inverse = largest != 0 ? 127.0f / largest : 0.0f;
  HWY_DYNAMIC_DISPATCH(round_to_codes)(values, inverse, kSmallBlock, out.codes);
  const std::int32_t sum = add_groups(out.codes, kSmallBlock, out.group_sums);
  *out.scale = round_to_half(d);
  *out.sum = round_to_half(d * static_cast<float>(sum));
}

void quantise_large(const float* values, const BlockOut& out) {
  const float largest = HWY_DYNAMIC_DISPATCH(largest_magnitude)(values, kLargeBlock);
  if (largest == 0) return;  // all is zero already
  const float extreme = *std::find_if(values, values + kLargeBlock - 1,
                                      [&](float v) { return v == largest || v == -largest; });
  const float inverse = -127.0f / extreme;
  HWY_DYNAMIC_DISPATCH(round_to_codes)(values, inverse, kLargeBlock, out.codes);
  add_groups(out.codes, kLargeBlock, out.group_sums);
  *out.scale = 1 / inverse;
}

}  // namespace

Format activation_format(Format weights) {
  switch (weights) {
    case Format::q4_1:
    case Format::q5_1:
      return Format::q8_1;
    case Format::q4_0:
    case Format::q5_0:
    case Format::q8_0:
      return Format::q8_0;
    case Format::q4_K:
    case Format::q5_K:
    case Format::q6_K:
      return Format::q8_K;
    case Format::fp16:
    case Format::bf16:
      return weights;
    default:
      return Format::fp32;
  }
}

QuantisedRows::QuantisedRows(Format format, std::span<const float> input, std::int64_t columns)
    : columns_(columns),
      block_(info(format).block_elements),
      codes_(input.size()),
      scales_(input.size() / static_cast<std::size_t>(block_)),
      sums_(scales_.size()),
      group_sums_(input.size() / kGroup) {
  CHECK(format == Format::q8_0 || format == Format::q8_1 || format == Format::q8_K,
        "activations are quantised to a block format of theirs");
  CHECK(columns % block_ == 0, "rows of activations are whole blocks");
  const auto elements = static_cast<std::size_t>(block_);
  const auto quantise = format == Format::q8_K ? quantise_large : quantise_small;
  constexpr std::size_t kElementsATask = 1 << 16;
  tbb::parallel_for(tbb::blocked_range<std::size_t>(0, scales_.size(), kElementsATask / elements),
                    [&](const tbb::blocked_range<std::size_t>& part) {
                      for (std::size_t b = part.begin(); b < part.end(); ++b) {
                        const std::size_t first = b * elements;
                        quantise(&input[first], {&codes_[first], &scales_[b], &sums_[b],
                                                 &group_sums_[first / kGroup]});
                      }
                    });
}

QuantisedRow QuantisedRows::at(std::int64_t row, std::int64_t column) const {
  const std::int64_t element = row * columns_ + column;
  const std::int64_t block = block_ == kLargeBlock ? element / kLargeBlock : element / kSmallBlock;
  return {codes_.data() + element, scales_.data() + block, sums_.data() + block,
          group_sums_.data() + element / kGroup};
}

}  // namespace presil
#endif
