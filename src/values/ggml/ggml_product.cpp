#include "values/ggml/ggml_product.h"

#include <algorithm>
#include <vector>

#include <tbb/blocked_range.h>
#include <tbb/parallel_for.h>

#include "base/error.h"
#include "base/integers.h"
#include "values/dot.h"
#include "values/ggml/panel_dot.h"
#include "values/number/codes.h"

namespace presil {
namespace {

// Multiplications that are worth a task of their own.
constexpr std::int64_t kProductsATask = 1 << 17;

/// The ends of the k axis' tiles and runs.
struct Cuts {
  std::int64_t columns;
  std::int64_t tile;
  std::int64_t tiles_a_run;

  Cuts(std::int64_t k, KTiling tiling)
      : columns(k),
        tile(tiling.tile > 0 ? tiling.tile : k),
        tiles_a_run(ceil_div(ceil_div(k, tile), tiling.split)) {}

  std::int64_t run() const { return tile * tiles_a_run; }
};

/// The sums of sixteen outputs for each row of activations, while k goes by: of the present tile,
/// of the present run, and of the runs before.
class Sums {
 public:
  explicit Sums(std::int64_t rows) : rows_(static_cast<std::size_t>(rows)) { clear(); }

  void clear() { std::fill(rows_.begin(), rows_.end(), Of{}); }
  OfRows<float>& tile(std::int64_t row) { return rows_[static_cast<std::size_t>(row)].tile; }
  float total(std::int64_t row, std::int64_t lane) const {
    return rows_[static_cast<std::size_t>(row)].total[static_cast<std::size_t>(lane)];
  }
  void end_tile() {
    for (Of& r : rows_) add(r.tile, r.run);
  }
  void end_run() {
    for (Of& r : rows_) add(r.run, r.total);
  }

 private:
  struct alignas(64) Of {
    OfRows<float> tile = {}, run = {}, total = {};
  };

  static void add(OfRows<float>& from, OfRows<float>& to) {
    for (std::size_t lane = 0; lane < kPanelRows; ++lane) to[lane] += from[lane];
    from = {};
  }

  std::vector<Of> rows_;
};

/// Up to sixteen rows of weights with all rows of activations; meanwhile the sixteen rows at `next`
/// are fetched, if it is not null.
void multiply_panel(const WeightView& weights, const RowParts& rows, const std::byte* next,
                    const Cuts& cuts, const QuantisedRows& activations, std::int64_t n_rows,
                    WeightPanel& panel, Sums& sums) {
  const FormatInfo& layout = info(weights.format());
  sums.clear();
  for (std::int64_t at = 0; at < cuts.columns;) {
    const std::int64_t tile_end = std::min((at / cuts.tile + 1) * cuts.tile, cuts.columns);
    const std::int64_t end = std::min(at + kPanelColumns, tile_end);
    const std::int64_t blocks = (end - at) / layout.block_elements;
    RowParts parts = rows;
    const std::int64_t bytes_done = at / layout.block_elements * layout.block_bytes;
    for (const std::byte*& p : parts) p += bytes_done;
    const std::byte* ahead = next != nullptr ? next + kPanelRows * bytes_done : nullptr;
    unpack_panel(weights.format(), parts, blocks, ahead, panel);
    for (std::int64_t m = 0; m < n_rows; ++m) {
      panel_dot(weights.format(), panel, blocks, activations.at(m, at), sums.tile(m));
    }
    at = end;
    if (at == tile_end) sums.end_tile();
    if (at % cuts.run() == 0 || at == cuts.columns) sums.end_run();
  }
}

/// Calls body(first, last) for ranges of panels, side by side.
template <class Body>
void for_panels(std::int64_t weight_rows, std::int64_t products_a_panel, const Body& body) {
  const std::int64_t grain = std::max<std::int64_t>(1, kProductsATask / products_a_panel);
  tbb::parallel_for(tbb::blocked_range<std::int64_t>(0, ceil_div(weight_rows, kPanelRows), grain),
                    [&](const tbb::blocked_range<std::int64_t>& part) {
                      body(part.begin() * kPanelRows,
                           std::min(part.end() * kPanelRows, weight_rows));
                    });
}

void multiply_blocks(const WeightView& weights, const Cuts& cuts, std::span<const float> input,
                     std::span<float> out, std::int64_t stride) {
  const QuantisedRows activations(activation_format(weights.format()), input, cuts.columns);
  const std::int64_t n_rows = std::ssize(input) / cuts.columns;
  const std::int64_t row_bytes = bytes_of(weights.format(), cuts.columns).count();
  CHECK(cuts.tile % info(weights.format()).block_elements == 0, "tiles of k are whole blocks");
  for_panels(weights.rows(), kPanelRows * cuts.columns * n_rows,
             [&](std::int64_t begin, std::int64_t end) {
               WeightPanel panel;
               Sums sums(n_rows);
               for (std::int64_t first = begin; first < end; first += kPanelRows) {
                 const std::int64_t last = std::min(first + kPanelRows, end);
                 RowParts rows;
                 rows.fill(weights.row(first).data());  // stands in for rows beyond the last
                 for (std::int64_t n = first + 1; n < last; ++n) {
                   rows[static_cast<std::size_t>(n - first)] = weights.row(n).data();
                 }
                 // The rows of a matrix follow each other.
                 const bool is_next_whole = last + kPanelRows <= end;
                 const std::byte* next = is_next_whole ? rows.back() + row_bytes : nullptr;
                 multiply_panel(weights, rows, next, cuts, activations, n_rows, panel, sums);
                 for (std::int64_t m = 0; m < n_rows; ++m) {
                   float* to = &out[static_cast<std::size_t>(m * stride)];
                   for (std::int64_t n = first; n < last; ++n) to[n] = sums.total(m, n - first);
                 }
               }
             });
}

/// totals[m] = the sum of `weights` times row m of the activations, tile by tile.
void tiled_dots(std::span<const float> weights, std::span<const float> activations,
                const Cuts& cuts, std::span<float> totals) {
  std::vector<float> sums(totals.size()), parts(totals.size());
  std::fill(totals.begin(), totals.end(), 0.0f);
  for (std::int64_t run = 0; run < cuts.columns; run += cuts.run()) {
    const std::int64_t run_end = std::min(run + cuts.run(), cuts.columns);
    std::fill(sums.begin(), sums.end(), 0.0f);
    for (std::int64_t at = run; at < run_end; at += cuts.tile) {
      dots(weights.data() + at, activations.data() + at, cuts.columns,
           std::min(cuts.tile, run_end - at), parts);
      for (std::size_t m = 0; m < parts.size(); ++m) sums[m] += parts[m];
    }
    for (std::size_t m = 0; m < sums.size(); ++m) totals[m] += sums[m];
  }
}

void multiply_floats(const WeightView& weights, const Cuts& cuts, std::span<const float> input,
                     std::span<float> out, std::int64_t stride) {
  std::vector<float> activations(input.begin(), input.end());
  round_all(activation_format(weights.format()), Overflow::infinite, activations);
  const std::int64_t n_rows = std::ssize(input) / cuts.columns;
  for_panels(weights.rows(), kPanelRows * cuts.columns * n_rows,
             [&](std::int64_t begin, std::int64_t end) {
               std::vector<float> row(static_cast<std::size_t>(cuts.columns));
               std::vector<float> totals(static_cast<std::size_t>(n_rows));
               for (std::int64_t n = begin; n < end; ++n) {
                 weights.to_floats(n, weights.row(n), row);
                 tiled_dots(row, activations, cuts, totals);
                 for (std::int64_t m = 0; m < n_rows; ++m) {
                   out[static_cast<std::size_t>(m * stride + n)] =
                       totals[static_cast<std::size_t>(m)];
                 }
               }
             });
}

}  // namespace

void ggml_product(const PreparedWeight& weight, KTiling tiling, std::span<const float> input,
                  std::span<float> out, std::int64_t stride) {
  CHECK(weight.smoothing().empty(), "ggml's products have no smoothing");
  const WeightView& view = weight.view();
  const Cuts cuts(view.columns(), tiling);
  if (is_block_format(view.format())) {
    multiply_blocks(view, cuts, input, out, stride);
  } else {
    multiply_floats(view, cuts, input, out, stride);
  }
}

}  // namespace presil
