#include "values/product/chip_product.h"

#include <algorithm>
#include <vector>

#include <hwy/aligned_allocator.h>
#include <tbb/parallel_for.h>

#include "base/integers.h"
#include "values/number/codes.h"
#include "values/product/kernels.h"

namespace presil {
namespace {

constexpr std::int64_t kPadding = 16;  // floats between rows: their columns miss each other in L1

std::size_t at(std::int64_t index) {
  return static_cast<std::size_t>(index);
}

/// Memory of a thread that is kept, so that it is not cleared again and again; on cache lines.
template <class T>
class Room {
 public:
  std::span<T> of(std::int64_t count) {
    if (size_ < at(count)) {
      size_ = at(count);
      items_ = hwy::AllocateAligned<T>(size_);
    }
    return {items_.get(), at(count)};
  }

 private:
  hwy::AlignedFreeUniquePtr<T[]> items_;
  std::size_t size_ = 0;
};

/// What a thread needs for one panel.
struct Scratch {
  Room<float> rows;    // (kPanelRows, k + kPadding)
  Room<float> scales;  // of one row
  Room<float> codes, panel_scales;
  Room<std::int16_t> whole;
  Room<float> sums;  // (m, kPanelRows)
};

/// The rows of the weight from `first` on, and zeros for those beyond its last.
Panel make_panel(const PreparedWeight& weight, std::int64_t first, bool is_integer,
                 Scratch& scratch) {
  const WeightView& view = weight.view();
  const std::int64_t k = view.columns();
  Panel panel;
  panel.span = scale_span(weight.scaling(), k);
  const std::int64_t n_scales = ceil_div(k, panel.span);
  const std::span<float> rows = scratch.rows.of(kPanelRows * (k + kPadding));
  const std::span<float> scales = scratch.scales.of(n_scales);
  const std::span<float> panel_scales = scratch.panel_scales.of(n_scales * kPanelRows);
  const std::span<std::int16_t> whole = scratch.whole.of(is_integer ? kPanelRows * k : 0);
  for (std::int64_t lane = 0; lane < kPanelRows; ++lane) {
    const std::int64_t row = first + lane;
    const std::span<float> codes = rows.subspan(at(lane * (k + kPadding)), at(k));
    if (row < view.rows()) {
      weight.code_row(row, view.row(row), codes, scales);
    } else {
      std::fill(codes.begin(), codes.end(), 0.0f);
    }
    for (std::int64_t i = 0; i < n_scales; ++i) {
      panel_scales[at(i * kPanelRows + lane)] = scales[at(i)];
    }
    if (is_integer) to_integers(codes, whole.subspan(at(lane * k), at(k)));
  }
  panel.scales = panel_scales;
  panel.whole = whole;
  if (!is_integer) {
    const std::span<float> codes = scratch.codes.of(kPanelRows * k);
    transpose_rows(rows.data(), k, k + kPadding, codes.data());
    panel.codes = codes;
  }
  return panel;
}

}  // namespace

void chip_product(const ProductNumerics& numerics, KTiling tiling, const CodedRows& activations,
                  const PreparedWeight& weight, std::span<float> out, std::int64_t stride) {
  const Accumulator& accumulator = numerics.accumulator;
  const std::int64_t n = weight.view().rows();
  const std::int64_t m = activations.rows;
  const std::vector<Segment> segments =
      cut_into_segments(activations.columns, tiling, accumulator.promote_every, activations.span,
                        scale_span(weight.scaling(), activations.columns));
  const bool is_integer = accumulator.kind == Accumulator::Kind::int32;
  std::vector<std::int16_t> integers(is_integer ? activations.codes.size() : 0);
  if (is_integer) to_integers(activations.codes, integers);
  tbb::parallel_for(std::int64_t{0}, ceil_div(n, kPanelRows), [&](std::int64_t p) {
    thread_local Scratch scratch;
    const std::int64_t first = p * kPanelRows;
    const Panel panel = make_panel(weight, first, is_integer, scratch);
    const std::span<float> sums = scratch.sums.of(m * kPanelRows);
    if (is_integer) {
      multiply_integers(segments, activations, integers, panel, sums);
    } else {
      multiply_panel(accumulator, segments, activations, panel, sums);
    }
    const std::int64_t lanes = std::min(kPanelRows, n - first);
    for (std::int64_t row = 0; row < m; ++row) {
      std::copy_n(sums.begin() + row * kPanelRows, lanes, out.begin() + row * stride + first);
    }
  });
}

}  // namespace presil
