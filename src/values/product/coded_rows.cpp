#include "values/product/coded_rows.h"

#include <algorithm>

#include <tbb/parallel_for.h>

#include "base/error.h"
#include "base/integers.h"
#include "values/number/codes.h"

namespace presil {
namespace {

std::size_t at(std::int64_t index) {
  return static_cast<std::size_t>(index);
}

}  // namespace

CodedRows::CodedRows(std::int64_t rows_, std::int64_t columns_, Scaling scaling)
    : rows(rows_),
      columns(columns_),
      span(scale_span(scaling, columns_)),
      codes(at(rows_ * columns_)),
      scales(at(rows_ * ceil_div(columns_, span)), 1.0f) {}

std::int64_t CodedRows::scales_a_row() const {
  return ceil_div(columns, span);
}

std::span<float> CodedRows::codes_of(std::int64_t row) {
  return std::span(codes).subspan(at(row * columns), at(columns));
}

std::span<float> CodedRows::scales_of(std::int64_t row) {
  return std::span(scales).subspan(at(row * scales_a_row()), at(scales_a_row()));
}

std::span<const float> CodedRows::codes_of(std::int64_t row) const {
  return std::span(codes).subspan(at(row * columns), at(columns));
}

std::span<const float> CodedRows::scales_of(std::int64_t row) const {
  return std::span(scales).subspan(at(row * scales_a_row()), at(scales_a_row()));
}

void find_scales(const Operand& operand, std::span<const float> row, std::span<float> scales) {
  switch (operand.scaling) {
    case Scaling::none:
    case Scaling::mx_32:
      scales.front() = 1;
      return;
    case Scaling::tensor:
    case Scaling::block_128:
      return;
    case Scaling::channel:
    case Scaling::token:
      scales.front() = scale_of(operand.format, largest_magnitude(row));
      return;
    case Scaling::nv_16:
      scales.front() = nv_scale_of(largest_magnitude(row));
      return;
    case Scaling::group_128: {
      const std::size_t width = at(scale_span(operand.scaling, std::ssize(row)));
      for (std::size_t i = 0; i < row.size(); i += width) {
        const auto group = row.subspan(i, std::min(width, row.size() - i));
        scales[i / width] = scale_of(operand.format, largest_magnitude(group));
      }
      return;
    }
  }
  throw InternalError("a scaling that is none");
}

CodedRows code_activations(const Operand& operand, Overflow overflow,
                           std::span<const float> activations, std::int64_t columns) {
  CHECK(operand.scaling != Scaling::channel && operand.scaling != Scaling::block_128,
        "activations with scales that only weights can have");
  CodedRows coded(std::ssize(activations) / columns, columns, operand.scaling);
  std::copy(activations.begin(), activations.end(), coded.codes.begin());
  if (operand.scaling == Scaling::tensor) {
    const float scale = scale_of(operand.format, largest_magnitude(activations));
    std::fill(coded.scales.begin(), coded.scales.end(), scale);
  }
  tbb::parallel_for(std::int64_t{0}, coded.rows, [&](std::int64_t r) {
    find_scales(operand, coded.codes_of(r), coded.scales_of(r));
    encode_row(operand, overflow, coded.scales_of(r), coded.codes_of(r));
  });
  return coded;
}

}  // namespace presil
