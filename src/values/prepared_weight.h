// A weight matrix on its way to a product: its view, and what of it has to be known before its
// first row can be turned into the numbers that are multiplied.
//
// Those are the scales that reach beyond a row's 128 elements (tensor, channel, block_128 and the
// tensor scale of nv_16): found here, from the whole matrix, before the program runs. The matrix
// itself is never copied; its rows are turned into codes as a product reads them. Weights that are
// stored in the wanted format and scaling keep their codes and scales.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/numerics.h"
#include "values/weight_view.h"

namespace presil {

class PreparedWeight {
 public:
  /// `smoothing`, one factor for each column or nothing, multiplies the columns; it must outlive
  /// this object. Searches scales on all threads; the result depends on the weights only.
  PreparedWeight(const WeightView& view, const ProductNumerics& numerics,
                 std::span<const float> smoothing = {});

  const WeightView& view() const { return view_; }
  std::span<const float> smoothing() const { return smoothing_; }

  /// What weights are rounded to; the numerics' own, or what follows from how they are stored.
  const Operand& operand() const { return operand_; }

  /// What shares a scale in the codes of rows: none where codes are multiplied with their scales
  /// before the product (weight-only quantisation).
  Scaling scaling() const { return rounds_to_ ? Scaling::none : operand_.scaling; }

  /// Row `row`, whose stored bytes are `bytes`, as codes (columns) and scales (those of a row of
  /// CodedRows with scaling()). Not for products of ggml's, whose activations have no operand.
  void code_row(std::int64_t row, std::span<const std::byte> bytes, std::span<float> codes,
                std::span<float> scales) const;

 private:
  void to_smoothed_floats(std::int64_t row, std::span<const std::byte> bytes,
                          std::span<float> out) const;
  void find_wide_scales();
  void scales_of_row(std::int64_t row, std::span<const float> floats,
                     std::span<float> scales) const;

  WeightView view_;
  std::span<const float> smoothing_;
  Operand operand_;
  Overflow overflow_;
  bool keeps_codes_;                 // the stored ones
  std::optional<Format> rounds_to_;  // of weight-only quantisation: the activations' format
  std::vector<float> scales_;        // tensor, nv_16: one; channel: of rows; block_128: row by row
};

}  // namespace presil
