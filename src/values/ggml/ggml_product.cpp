#include "values/ggml/ggml_product.h"

#include <algorithm>
#include <vector>

#include <tbb/blocked_range.h>
#include <tbb/parallel_for.h>

#include "base/error.h"
#include "base/integers.h"
#include "values/blocks.h"
#include "values/dot.h"

namespace presil {
namespace {

// Rows of weights that a task takes apart together: an activation row is then read from cache once
// for all of them.
constexpr std::int64_t kRowsATask = 16;

bool is_quantised(Format format) {
  return is_block_format(format);
}

/// What ggml turns activations into before they meet weights stored in `weights`.
Format activation_format(Format weights) {
  switch (weights) {
    case Format::q4_1:
      return Format::q8_1;
    case Format::q4_0:
    case Format::q8_0:
      return Format::q8_0;
    case Format::fp16:
    case Format::bf16:
      return weights;
    default:
      return Format::fp32;
  }
}

/// Rows ready to be multiplied: as floats, or as quantised blocks.
struct Rows {
  Format format;
  bool quantised;
  std::int64_t columns;
  std::vector<float> floats;
  Blocks blocks;

  Rows(Format f, std::int64_t rows, std::int64_t columns_)
      : format(f),
        quantised(is_quantised(f)),
        columns(columns_),
        blocks(quantised ? rows * columns_ : 0) {
    if (!quantised) floats.resize(static_cast<std::size_t>(rows * columns_));
  }

  std::span<float> row(std::int64_t r) {
    return std::span(floats).subspan(static_cast<std::size_t>(r * columns),
                                     static_cast<std::size_t>(columns));
  }
};

Rows prepare_activations(Format format, std::span<const float> input, std::int64_t columns) {
  const std::int64_t rows = std::ssize(input) / columns;
  Rows operand(format, rows, columns);
  if (operand.quantised) {
    quantise(format, input, 0, operand.blocks);
  } else {
    std::copy(input.begin(), input.end(), operand.floats.begin());
    round_to(format, operand.floats);
  }
  return operand;
}

Rows prepare_weights(const WeightView& weights, Format multiplied_with, std::int64_t begin,
                     std::int64_t end) {
  Rows operand(multiplied_with, end - begin, weights.columns());
  for (std::int64_t r = begin; r < end; ++r) {
    if (operand.quantised) {
      unpack(weights.format(), weights.row(r), (r - begin) * weights.columns(), operand.blocks);
    } else {
      dequantise(weights.format(), weights.row(r), operand.row(r - begin));
      round_to(multiplied_with, operand.row(r - begin));
    }
  }
  return operand;
}

/// The dot product of columns [begin, end) of one row of each.
float tile_dot(const Rows& w, std::int64_t w_row, const Rows& a, std::int64_t a_row,
               std::int64_t begin, std::int64_t end) {
  const std::int64_t w_at = w_row * w.columns + begin;
  const std::int64_t a_at = a_row * a.columns + begin;
  if (!w.quantised) {
    return dot(w.floats.data() + w_at, a.floats.data() + a_at, end - begin);
  }
  const auto row_at = [](const Blocks& b, std::int64_t at) {
    return BlockRow{b.quants.data() + at, b.scales.data() + at / kBlock,
                    b.offsets.data() + at / kBlock};
  };
  return block_dot(row_at(w.blocks, w_at), row_at(a.blocks, a_at), (end - begin) / kBlock);
}

float tiled_dot(const Rows& w, std::int64_t w_row, const Rows& a, std::int64_t a_row,
                KTiling tiling) {
  const std::int64_t tile = tiling.tile > 0 ? tiling.tile : w.columns;
  const std::int64_t tiles = ceil_div(w.columns, tile);
  const std::int64_t run = ceil_div(tiles, tiling.split);
  float total = 0;
  for (std::int64_t first = 0; first < tiles; first += run) {
    float sum = 0;
    for (std::int64_t t = first; t < std::min(first + run, tiles); ++t) {
      sum += tile_dot(w, w_row, a, a_row, t * tile, std::min((t + 1) * tile, w.columns));
    }
    total += sum;
  }
  return total;
}

/// Calls `store(m, n, value)` for every element of input x weights^T.
template <class Store>
void multiply(const Rows& input, std::int64_t rows, const WeightView& weights, KTiling tiling,
              const Store& store) {
  const tbb::blocked_range<std::int64_t> all(0, weights.rows(), kRowsATask);
  tbb::parallel_for(
      all,
      [&](const tbb::blocked_range<std::int64_t>& part) {
        const Rows w = prepare_weights(weights, input.format, part.begin(), part.end());
        for (std::int64_t m = 0; m < rows; ++m) {
          for (std::int64_t n = part.begin(); n < part.end(); ++n) {
            store(m, n, tiled_dot(w, n - part.begin(), input, m, tiling));
          }
        }
      },
      tbb::simple_partitioner());
}

}  // namespace

void ggml_product(const PreparedWeight& weight, KTiling tiling, std::span<const float> input,
                  std::span<float> out, std::int64_t stride) {
  const WeightView& w = weight.view();
  const Format format = activation_format(w.format());
  CHECK(!is_quantised(format) || tiling.tile % kBlock == 0, "tiles of k are whole blocks");
  const Rows prepared = prepare_activations(format, input, w.columns());
  multiply(prepared, std::ssize(input) / w.columns(), w, tiling,
           [&](std::int64_t m, std::int64_t n, float value) {
             out[static_cast<std::size_t>(m * stride + n)] = value;
           });
}

}  // namespace presil
