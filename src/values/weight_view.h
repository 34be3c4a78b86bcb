// One weight matrix of the mapped file, or a chip's share of it: the only way by which kernels
// reach its bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/number_format.h"
#include "model/weights.h"
#include "values/access_log.h"

namespace presil {

class WeightView {
 public:
  WeightView() = default;
  /// A matrix (rows, columns); a vector is one row. Requires one or two dimensions and as many
  /// bytes as they take. The tensor must outlive the view.
  explicit WeightView(const WeightTensor& tensor);

  /// `rows` rows from `first_row` on, of each `columns` columns from `first_column` on. Requires
  /// that they are within the view and cut neither a block of the format nor a block that shares a
  /// scale (see cut_unit).
  WeightView part(std::int64_t first_row, std::int64_t rows, std::int64_t first_column,
                  std::int64_t columns) const;

  /// Rows and columns are cut at multiples of these: blocks of the format, and of 128 x 128 scales.
  struct CutUnit {
    std::int64_t rows, columns;
  };
  CutUnit cut_unit() const;

  Format format() const { return format_; }
  std::int64_t rows() const { return rows_; }
  std::int64_t columns() const { return columns_; }
  Scaling scaling() const { return scaling_; }
  /// As in WeightTensor, those of the rows and columns of the view.
  std::vector<float> scales() const;

  /// From now on `tap`, which must outlive the view and its copies, is told of every row read.
  void watch(const WeightTap* tap) { tap_ = tap; }

  /// The stored bytes of one row, as a kernel of the program reads them: once a kernel and step.
  std::span<const std::byte> row(std::int64_t index) const {
    if (tap_ != nullptr) tap_->read(index);
    return offline_row(index);
  }

  /// The same bytes, read before the program runs: to choose a scale, say.
  std::span<const std::byte> offline_row(std::int64_t index) const {
    return data_.subspan(static_cast<std::size_t>(index) * row_stride_, row_bytes_);
  }

  /// The numbers that `bytes`, those of row `index`, stand for: (columns), scales applied.
  void to_floats(std::int64_t index, std::span<const std::byte> bytes, std::span<float> out) const;

 private:
  Format format_ = Format::fp32;
  std::int64_t rows_ = 0;
  std::int64_t columns_ = 0;
  std::size_t row_bytes_ = 0;
  std::size_t row_stride_ = 0;       // bytes from one row to the next
  std::span<const std::byte> data_;  // from the first byte of the first row on
  Scaling scaling_ = Scaling::none;
  std::span<const float> scales_;  // as in WeightTensor, of the whole tensor
  // Where the view begins in the whole tensor, whose rows have `whole_columns_`.
  std::int64_t first_row_ = 0;
  std::int64_t first_column_ = 0;
  std::int64_t whole_columns_ = 0;
  const WeightTap* tap_ = nullptr;
};

}  // namespace presil
