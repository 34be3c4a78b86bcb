#include "values/ggml/block_dot.h"

#include "values/ggml/block_formats.h"

namespace presil {

float block_dot(Format format, std::span<const std::byte> weights, QuantisedRow activations) {
  const FormatInfo& layout = info(format);
  const bool is_large = layout.block_elements == kLargeBlock;
  const auto groups = static_cast<std::size_t>(layout.block_elements / kGroup);
  const auto block_bytes = static_cast<std::size_t>(layout.block_bytes);
  QuantisedRow a = activations;
  float sum = 0;
  for (std::size_t at = 0; at < weights.size(); at += block_bytes, ++a.scales, ++a.sums) {
    const UnpackedBlock w = unpack_block(format, weights.subspan(at, block_bytes));
    std::int32_t products = 0;
    std::int32_t minima = 0;
    for (std::size_t g = 0; g < groups; ++g, a.codes += kGroup, ++a.group_sums) {
      std::int32_t of_group = 0;
      for (std::size_t j = 0; j < kGroup; ++j) of_group += w.codes[g * kGroup + j] * a.codes[j];
      products += w.scales[g] * of_group;
      minima += w.minima[g] * *a.group_sums;
    }
    const float product = w.d * *a.scales * static_cast<float>(products);
    if (is_large) {
      sum += product - w.m * *a.scales * static_cast<float>(minima);
    } else if (activation_format(format) == Format::q8_1) {
      sum += product + w.m * *a.sums;
    } else {
      sum += product;
    }
  }
  return sum;
}

}  // namespace presil
