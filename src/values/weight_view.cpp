#include "values/weight_view.h"

#include <algorithm>

#include "base/error.h"
#include "base/integers.h"
#include "values/ggml/block_formats.h"

namespace presil {
namespace {

constexpr std::int64_t kScaledBlock = 128;  // of block_128, rows and columns

}  // namespace

WeightView::WeightView(const WeightTensor& tensor)
    : format_(tensor.format), data_(tensor.data), scaling_(tensor.scaling), scales_(tensor.scales) {
  CHECK(tensor.shape.size() == 1 || tensor.shape.size() == 2, "a weight is a vector or a matrix");
  rows_ = tensor.shape.size() == 2 ? tensor.shape.front() : 1;
  columns_ = whole_columns_ = tensor.shape.back();
  row_bytes_ = row_stride_ = static_cast<std::size_t>(bytes_of(format_, columns_).count());
  CHECK(data_.size() == row_bytes_ * static_cast<std::size_t>(rows_),
        "a weight has the bytes of its shape");
}

WeightView WeightView::part(std::int64_t first_row, std::int64_t rows, std::int64_t first_column,
                            std::int64_t columns) const {
  CHECK(first_row >= 0 && rows > 0 && first_row + rows <= rows_ && first_column >= 0 &&
            columns > 0 && first_column + columns <= columns_,
        "a part lies within its weight");
  const CutUnit unit = cut_unit();
  const auto is_cut = [](std::int64_t at, std::int64_t end, std::int64_t by) {
    return at % by == 0 || at == end;
  };
  CHECK(is_cut(first_row, rows_, unit.rows) && is_cut(first_row + rows, rows_, unit.rows) &&
            is_cut(first_column, columns_, unit.columns) &&
            is_cut(first_column + columns, columns_, unit.columns),
        "a part of a weight is whole blocks");
  WeightView result = *this;
  result.rows_ = rows;
  result.columns_ = columns;
  result.row_bytes_ = static_cast<std::size_t>(bytes_of(format_, columns).count());
  result.data_ = data_.subspan(static_cast<std::size_t>(first_row) * row_stride_ +
                               static_cast<std::size_t>(bytes_of(format_, first_column).count()));
  result.first_row_ += first_row;
  result.first_column_ += first_column;
  return result;
}

WeightView::CutUnit WeightView::cut_unit() const {
  const std::int64_t block = info(format_).block_elements;
  if (scaling_ != Scaling::block_128) return {1, block};
  return {kScaledBlock, std::max(kScaledBlock, block)};
}

std::vector<float> WeightView::scales() const {
  std::vector<float> result;
  if (scaling_ == Scaling::tensor) result = {scales_.front()};
  if (scaling_ == Scaling::channel) {
    const auto begin = scales_.begin() + first_row_;
    result.assign(begin, begin + rows_);
  }
  if (scaling_ == Scaling::block_128) {
    const std::int64_t across = ceil_div(whole_columns_, kScaledBlock);
    for (std::int64_t row = first_row_; row < first_row_ + rows_; row += kScaledBlock) {
      const auto begin =
          scales_.begin() + row / kScaledBlock * across + first_column_ / kScaledBlock;
      result.insert(result.end(), begin, begin + ceil_div(columns_, kScaledBlock));
    }
  }
  return result;
}

void WeightView::to_floats(std::int64_t index, std::span<const std::byte> bytes,
                           std::span<float> out) const {
  dequantise(format_, bytes, out);
  const auto row = static_cast<std::size_t>(first_row_ + index);
  switch (scaling_) {
    case Scaling::none:
      return;
    case Scaling::tensor:
      for (float& v : out) v *= scales_.front();
      return;
    case Scaling::channel:
      for (float& v : out) v *= scales_[row];
      return;
    case Scaling::block_128: {
      const auto across = static_cast<std::size_t>(ceil_div(whole_columns_, kScaledBlock));
      const std::span<const float> scales = scales_.subspan(row / kScaledBlock * across, across);
      const auto first = static_cast<std::size_t>(first_column_);
      for (std::size_t i = 0; i < out.size(); ++i) out[i] *= scales[(first + i) / kScaledBlock];
      return;
    }
    default:
      throw InternalError("weights with scales of this kind are not read from files");
  }
}

}  // namespace presil
