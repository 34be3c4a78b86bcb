// One weight matrix of the mapped file: the only way by which kernels reach its bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/number_format.h"
#include "model/weights.h"

namespace presil {

class WeightView {
 public:
  WeightView() = default;
  /// A matrix (rows, columns); a vector is one row. Requires one or two dimensions and as many
  /// bytes as they take. The tensor must outlive the view.
  explicit WeightView(const WeightTensor& tensor);

  Format format() const { return format_; }
  std::int64_t rows() const { return rows_; }
  std::int64_t columns() const { return columns_; }
  Scaling scaling() const { return scaling_; }
  std::span<const float> scales() const { return scales_; }  // as in WeightTensor

  /// The stored bytes of one row, as a kernel of the program reads them: once a kernel and step.
  std::span<const std::byte> row(std::int64_t index) const { return offline_row(index); }

  /// The same bytes, read before the program runs: to choose a scale, say.
  std::span<const std::byte> offline_row(std::int64_t index) const {
    return data_.subspan(static_cast<std::size_t>(index) * row_bytes_, row_bytes_);
  }

  /// The numbers that `bytes`, those of row `index`, stand for: (columns), scales applied.
  void to_floats(std::int64_t index, std::span<const std::byte> bytes, std::span<float> out) const;

 private:
  Format format_ = Format::fp32;
  std::int64_t rows_ = 0;
  std::int64_t columns_ = 0;
  std::size_t row_bytes_ = 0;
  std::span<const std::byte> data_;
  Scaling scaling_ = Scaling::none;
  std::span<const float> scales_;  // as in WeightTensor
};

}  // namespace presil
