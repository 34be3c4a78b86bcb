#include "values/weight_view.h"

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
  columns_ = tensor.shape.back();
  row_bytes_ = static_cast<std::size_t>(bytes_of(format_, columns_).count());
  CHECK(data_.size() == row_bytes_ * static_cast<std::size_t>(rows_),
        "a weight has the bytes of its shape");
}

void WeightView::to_floats(std::int64_t index, std::span<const std::byte> bytes,
                           std::span<float> out) const {
  dequantise(format_, bytes, out);
  const auto row = static_cast<std::size_t>(index);
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
      const auto across = static_cast<std::size_t>(ceil_div(columns_, kScaledBlock));
      const std::span<const float> scales = scales_.subspan(row / kScaledBlock * across, across);
      for (std::size_t i = 0; i < out.size(); ++i) out[i] *= scales[i / kScaledBlock];
      return;
    }
    default:
      throw InternalError("weights with scales of this kind are not read from files");
  }
}

}  // namespace presil
