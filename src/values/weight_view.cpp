#include "values/weight_view.h"

#include "base/error.h"

namespace presil {

WeightView::WeightView(const WeightTensor& tensor) : format_(tensor.format), data_(tensor.data) {
  CHECK(tensor.shape.size() == 1 || tensor.shape.size() == 2, "a weight is a vector or a matrix");
  rows_ = tensor.shape.size() == 2 ? tensor.shape.front() : 1;
  columns_ = tensor.shape.back();
  row_bytes_ = static_cast<std::size_t>(bytes_of(format_, columns_).count());
  CHECK(data_.size() == row_bytes_ * static_cast<std::size_t>(rows_),
        "a weight has the bytes of its shape");
}

}  // namespace presil
