#include "values/product/chip_product.h"

#include <algorithm>
#include <vector>

#include <tbb/parallel_for.h>

#include "base/integers.h"
#include "values/number/codes.h"
#include "values/product/kernels.h"

namespace presil {
namespace {

constexpr std::int64_t kTogether = 4;  // rows that enter a panel together: they stay in L1

std::size_t at(std::int64_t index) {
  return static_cast<std::size_t>(index);
}

template <class T>
std::span<T> room(std::vector<T>& in, std::int64_t count) {
  if (std::ssize(in) < count) in.resize(at(count));
  return std::span(in).first(at(count));
}

/// What a thread needs for one panel; kept, so that memory is not cleared again and again.
struct Scratch {
  Panel panel;
  std::vector<float> codes;   // (kTogether, k)
  std::vector<float> scales;  // of one row
  std::vector<float> sums;    // (m, kPanelRows)
};

/// The rows of the weight from `first` on, and zeros for those beyond its last.
void fill_panel(const PreparedWeight& weight, std::int64_t first, bool is_integer, Scratch& s) {
  const WeightView& view = weight.view();
  const std::int64_t k = view.columns();
  s.panel.span = scale_span(weight.scaling(), k);
  const std::int64_t n_scales = ceil_div(k, s.panel.span);
  const std::span<float> codes = room(s.codes, kTogether * k);
  const std::span<float> scales = room(s.scales, n_scales);
  const std::span<float> panel_scales = room(s.panel.scales, n_scales * kPanelRows);
  for (std::int64_t lane = 0; lane < kPanelRows; ++lane) {
    const std::int64_t row = first + lane;
    const std::span<float> code = codes.subspan(at(lane % kTogether * k), at(k));
    if (row < view.rows()) {
      weight.code_row(row, view.row(row), code, scales);
    } else {
      std::fill(code.begin(), code.end(), 0.0f);
    }
    for (std::int64_t i = 0; i < n_scales; ++i)
      panel_scales[at(i * kPanelRows + lane)] = scales[at(i)];
    if (lane % kTogether != kTogether - 1) continue;
    const std::int64_t from = lane - (kTogether - 1);
    if (is_integer) {
      to_integers(codes, room(s.panel.whole, kPanelRows * k).subspan(at(from * k), codes.size()));
    } else {
      transpose_four_rows(codes.data(), k, room(s.panel.codes, kPanelRows * k).data() + from);
    }
  }
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
    fill_panel(weight, first, is_integer, scratch);
    const std::span<float> sums = room(scratch.sums, m * kPanelRows);
    if (is_integer) {
      multiply_integers(segments, activations, integers, scratch.panel, sums);
    } else {
      multiply_panel(accumulator, segments, activations, scratch.panel, sums);
    }
    const std::int64_t lanes = std::min(kPanelRows, n - first);
    for (std::int64_t row = 0; row < m; ++row) {
      std::copy_n(sums.begin() + row * kPanelRows, lanes, out.begin() + row * stride + first);
    }
  });
}

}  // namespace presil
