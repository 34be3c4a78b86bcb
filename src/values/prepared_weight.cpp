#include "values/prepared_weight.h"

#include <algorithm>

#include <tbb/parallel_for.h>

#include "base/integers.h"
#include "values/ggml/block_formats.h"
#include "values/number/codes.h"
#include "values/number/number.h"
#include "values/product/coded_rows.h"

namespace presil {
namespace {

constexpr std::int64_t kBand = 128;  // rows that are searched together: those of a block_128

std::size_t at(std::int64_t index) {
  return static_cast<std::size_t>(index);
}

Operand operand_of(const ProductNumerics& numerics, const WeightView& view) {
  if (numerics.weights) return *numerics.weights;
  if (!numerics.activations) return {};
  if (view.scaling() != Scaling::none) return {view.format(), view.scaling()};
  const Format format = numerics.activations->format;
  return {format, is_integer_format(format) ? Scaling::channel : Scaling::none};
}

bool is_weight_only(const ProductNumerics& numerics, const Operand& weights) {
  return weights.scaling != Scaling::none && numerics.activations &&
         numerics.activations->scaling == Scaling::none &&
         is_float_format(numerics.activations->format);
}

bool has_wide_scales(Scaling scaling) {
  return scaling == Scaling::tensor || scaling == Scaling::channel ||
         scaling == Scaling::block_128 || scaling == Scaling::nv_16;
}

}  // namespace

PreparedWeight::PreparedWeight(const WeightView& view, const ProductNumerics& numerics,
                               std::span<const float> smoothing)
    : view_(view),
      smoothing_(smoothing),
      operand_(operand_of(numerics, view)),
      overflow_(numerics.overflow),
      keeps_codes_(view.scaling() != Scaling::none && smoothing.empty() &&
                   operand_ == Operand{view.format(), view.scaling()}) {
  if (is_weight_only(numerics, operand_)) rounds_to_ = numerics.activations->format;
  if (keeps_codes_) {
    scales_ = view.scales();
  } else if (has_wide_scales(operand_.scaling)) {
    find_wide_scales();
  }
}

void PreparedWeight::to_smoothed_floats(std::int64_t row, std::span<const std::byte> bytes,
                                        std::span<float> out) const {
  view_.to_floats(row, bytes, out);
  if (!smoothing_.empty()) multiply_all(smoothing_, out);
}

void PreparedWeight::find_wide_scales() {
  const std::int64_t rows = view_.rows();
  const std::int64_t across = ceil_div(view_.columns(), kBand);
  const std::int64_t bands = ceil_div(rows, kBand);
  std::vector<float> of_rows(at(rows));
  std::vector<float> of_blocks(at(bands * across));
  tbb::parallel_for(std::int64_t{0}, bands, [&](std::int64_t band) {
    std::vector<float> row(at(view_.columns()));
    for (std::int64_t r = band * kBand; r < std::min((band + 1) * kBand, rows); ++r) {
      to_smoothed_floats(r, view_.offline_row(r), row);
      of_rows[at(r)] = largest_magnitude(row);
      for (std::int64_t b = 0; b < across; ++b) {
        const std::int64_t begin = b * kBand;
        const auto part = std::span<const float>(row).subspan(
            at(begin), at(std::min(kBand, view_.columns() - begin)));
        const float both[] = {of_blocks[at(band * across + b)], largest_magnitude(part)};
        of_blocks[at(band * across + b)] = largest_magnitude(both);
      }
    }
  });
  switch (operand_.scaling) {
    case Scaling::channel:
      scales_ = std::move(of_rows);
      break;
    case Scaling::block_128:
      scales_ = std::move(of_blocks);
      break;
    default:
      scales_ = {largest_magnitude(of_rows)};
  }
  for (float& s : scales_) {
    s = operand_.scaling == Scaling::nv_16 ? nv_scale_of(s) : scale_of(operand_.format, s);
  }
}

void PreparedWeight::scales_of_row(std::int64_t row, std::span<const float> floats,
                                   std::span<float> scales) const {
  switch (operand_.scaling) {
    case Scaling::tensor:
    case Scaling::nv_16:
      scales.front() = scales_.front();
      return;
    case Scaling::channel:
      scales.front() = scales_[at(row)];
      return;
    case Scaling::block_128: {
      const auto from = scales_.begin() + row / kBand * std::ssize(scales);
      std::copy(from, from + std::ssize(scales), scales.begin());
      return;
    }
    default:
      find_scales(operand_, floats, scales);
  }
}

void PreparedWeight::code_row(std::int64_t row, std::span<const std::byte> bytes,
                              std::span<float> codes, std::span<float> scales) const {
  if (keeps_codes_) {
    dequantise(view_.format(), bytes, codes);
  } else {
    to_smoothed_floats(row, bytes, codes);
  }
  if (!rounds_to_) {
    scales_of_row(row, codes, scales);
    if (!keeps_codes_) encode_row(operand_, overflow_, scales, codes);
    return;
  }
  thread_local std::vector<float> own;  // of this row
  own.resize(at(ceil_div(view_.columns(), scale_span(operand_.scaling, view_.columns()))));
  scales_of_row(row, codes, own);
  if (!keeps_codes_) encode_row(operand_, overflow_, own, codes);
  apply_scales(operand_.scaling, own, codes);
  round_all(*rounds_to_, overflow_, codes);
  scales.front() = 1;
}

}  // namespace presil
