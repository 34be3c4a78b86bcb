#include "chip/gemm_demand.h"

#include <algorithm>

#include "base/integers.h"
#include "chip/engine_time.h"
#include "chip/vector_flops.h"

namespace presil {
namespace {

bool k_by_128(Scaling s) {
  return s == Scaling::group_128 || s == Scaling::block_128;
}

/// The elements of k that are summed before the vector engine scales the sum; 0: all. Scales of 32
/// and 16 elements are the matrix engine's.
std::int64_t segment_of(const ProductNumerics& numerics) {
  std::int64_t length = numerics.accumulator.promote_every;
  for (const auto& operand : {numerics.weights, numerics.activations}) {
    if (operand && k_by_128(operand->scaling)) {
      length = length == 0 ? 128 : std::min<std::int64_t>(length, 128);
    }
  }
  return length;
}

/// Which tiles meet: rows and columns of tiles, those of a strip, those of a wave.
struct Grid {
  std::int64_t rows, columns;
  std::int64_t strip;
  std::int64_t wave_rows, wave_columns;
  std::int64_t row_waves, column_waves;
  bool rows_stay, columns_stay;  // a core keeps its operand from wave to wave

  Grid(const GemmOperands& g, const GemmCut& c, std::int64_t k_steps, std::int64_t cores)
      : rows(ceil_div(g.m, c.m)), columns(ceil_div(g.n, c.n)) {
    const std::int64_t together = std::max<std::int64_t>(1, cores / c.split);
    const std::int64_t across = c.strips_of_rows ? rows : columns;
    const std::int64_t along = c.strips_of_rows ? columns : rows;
    strip = c.strip == 0 ? across : std::min(c.strip, across);
    const std::int64_t wave_across = std::min(strip, together);
    const std::int64_t wave_along = std::min(along, std::max<std::int64_t>(1, together / strip));
    wave_rows = c.strips_of_rows ? wave_across : wave_along;
    wave_columns = c.strips_of_rows ? wave_along : wave_across;
    row_waves = ceil_div(rows, wave_rows);
    column_waves = ceil_div(columns, wave_columns);
    // With all of k in one tile, a core whose turn comes at the same place of each strip.
    const bool stays = k_steps == 1 && c.split == 1 && cores % strip == 0;
    rows_stay = stays && c.strips_of_rows;
    columns_stay = stays && !c.strips_of_rows;
  }
};

/// How often an operand of `bytes` comes from DRAM when the other operand's tiles pass in
/// `other_waves`. `strips`: this operand is what a strip is made of, `panel` bytes of it; otherwise
/// it passes once for each of `number` strips, if what is used `again` within one is kept.
std::int64_t passes(bool strips, bool stays, std::int64_t bytes, std::int64_t panel,
                    std::int64_t number, std::int64_t other_waves, std::int64_t kept) {
  if (stays || bytes <= kept) return 1;
  if (panel > kept) return other_waves;
  return strips ? 1 : std::min(number, other_waves);
}

}  // namespace

std::int64_t TileVector::flops(std::int64_t m, std::int64_t n, std::int64_t k) const {
  const std::int64_t segments = segment == 0 ? 1 : ceil_div(k, segment);
  return m * n * (per_output + per_segment * segments) + m * k * per_input + n * k * per_weight;
}

std::int64_t TileVector::exps(std::int64_t m, std::int64_t n) const {
  return exps_per_output_pair * (m * n / 2);
}

TileVector tile_vector(const ProductNumerics& numerics, Format weights, Format multiply,
                       Finish finish) {
  TileVector v;
  if (finish == Finish::add) v.per_output = 1;
  if (finish == Finish::gate) {
    v.per_output = kSwigluFlops / 2;
    v.exps_per_output_pair = 1;
  }
  if (finish == Finish::gelu) {
    v.per_output = kGeluFlops;
    v.exps_per_output_pair = 2;
  }
  if (!numerics.activations && is_block_format(weights) && multiply == Format::int8) {
    v.per_segment = kBlockDotFlops;
    v.segment = 32;
    v.per_input = kQuantiseFlops;
    return v;
  }
  // What the engine does not multiply as it lies in memory is converted on the way.
  if (weights != multiply && weights != Format::fp32) v.per_weight = kDequantiseFlops;
  if (numerics.activations && numerics.activations->scaling != Scaling::none) {
    v.per_input = kQuantiseFlops;
    v.per_segment = kScaleFlops;
    v.segment = segment_of(numerics);
  }
  return v;
}

Bytes usable_shared_memory(const Chip& chip) {
  // Without DRAM shared memory stands in its place: it is where operands come from.
  if (!chip.sram || chip.dram.is_on_chip()) return Bytes(0);
  return Bytes(
      static_cast<std::int64_t>(static_cast<double>(chip.sram->size.count()) * chip.sram->usable));
}

std::int64_t k_range_of(const GemmCut& cut, std::int64_t k) {
  return std::min(k, ceil_div(ceil_div(k, cut.k), cut.split) * cut.k);
}

GemmDemand gemm_demand(const GemmOperands& g, const GemmCut& wanted, const Chip& chip) {
  GemmCut c = wanted;
  c.m = std::min(c.m, g.m);
  c.n = std::min(c.n, g.n);
  const std::int64_t k_range = k_range_of(c, g.k);
  c.split = ceil_div(g.k, k_range);
  c.k = std::min(c.k, k_range);
  const std::int64_t cores = chip.core.count;
  GemmDemand d;
  d.k_steps = ceil_div(k_range, c.k);
  const Grid grid(g, c, d.k_steps, cores);

  const std::int64_t tiles = g.groups * grid.rows * grid.columns * c.split;
  const std::int64_t whole_waves = tiles / cores;
  const std::int64_t rest = tiles % cores;
  const bool shared_rest = rest > 0 && c.last_n > 0 && c.last_n < c.n;
  const std::int64_t rest_n = shared_rest ? c.last_n : c.n;
  const std::int64_t cuts = ceil_div(c.n, rest_n);
  const std::int64_t rest_tiles = rest * cuts;
  const std::int64_t rest_waves = ceil_div(rest_tiles, cores);
  d.waves = whole_waves + rest_waves;
  d.active_cores = whole_waves > 0 ? cores : std::min(rest_tiles, cores);
  d.busy_share =
      (static_cast<double>(whole_waves * cores) * static_cast<double>(c.n) +
       static_cast<double>(rest_tiles) * static_cast<double>(rest_n)) /
      (static_cast<double>(whole_waves * c.n + rest_waves * rest_n) * static_cast<double>(cores));

  // One core: its share of k for one tile, then as many tiles as there are waves.
  const std::int64_t last_k = k_range - (d.k_steps - 1) * c.k;
  const auto cycles = [&](std::int64_t n) {
    return matrix_cycles(chip.core.matrix, c.m, n, c.k, g.multiply) * (d.k_steps - 1) +
           matrix_cycles(chip.core.matrix, c.m, n, last_k, g.multiply);
  };
  const auto share = [](std::int64_t bytes, std::int64_t part, std::int64_t whole) {
    return static_cast<std::int64_t>(static_cast<__int128_t>(bytes) * part / whole);
  };
  const std::int64_t group_input = g.input_bytes / g.groups;
  const std::int64_t group_weights = g.weight_bytes / g.groups;
  const std::int64_t row_bytes = share(group_input, c.m, g.m);
  const auto fed = [&](std::int64_t n) {
    return share(row_bytes + share(group_weights, n, g.n), k_range, g.k);
  };
  if (whole_waves > 0) {
    d.matrix = cycles(c.n) * whole_waves;
    d.vector_flops = g.vector.flops(c.m, c.n, k_range) * whole_waves;
    d.exps = g.vector.exps(c.m, c.n) * whole_waves;
    d.fed_bytes = fed(c.n) * whole_waves;
  }
  if (rest_waves > 0) {
    d.matrix = d.matrix + cycles(rest_n) * rest_waves;
    d.vector_flops += g.vector.flops(c.m, rest_n, k_range) * rest_waves;
    d.exps += g.vector.exps(c.m, rest_n) * rest_waves;
    d.fed_bytes += fed(rest_n) * rest_waves;
  }

  const std::int64_t again = (cuts - 1) * share(row_bytes * rest, 1, c.split);  // narrower tiles
  d.all_fed_bytes = grid.columns * g.input_bytes + grid.rows * g.weight_bytes + again;
  d.carried_bytes = (grid.rows_stay ? grid.wave_columns : grid.columns) * g.input_bytes +
                    (grid.columns_stay ? grid.wave_rows : grid.rows) * g.weight_bytes + again;
  d.unique_bytes = (grid.rows_stay ? 1 : grid.column_waves) * g.input_bytes +
                   (grid.columns_stay ? 1 : grid.row_waves) * g.weight_bytes;
  d.partial_sums = (c.split - 1) * g.groups * g.m * g.n;

  const std::int64_t kept = usable_shared_memory(chip).count() / 2;
  const std::int64_t strips = ceil_div(c.strips_of_rows ? grid.rows : grid.columns, grid.strip);
  const std::int64_t columns_used_again = c.strips_of_rows ? grid.wave_columns : grid.strip;
  const std::int64_t rows_used_again = c.strips_of_rows ? grid.strip : grid.wave_rows;
  d.weight_passes = passes(!c.strips_of_rows, grid.columns_stay, group_weights,
                           share(group_weights, std::min(g.n, columns_used_again * c.n), g.n),
                           strips, grid.row_waves, kept);
  d.input_passes = passes(c.strips_of_rows, grid.rows_stay, group_input,
                          share(group_input, std::min(g.m, rows_used_again * c.m), g.m), strips,
                          grid.column_waves, kept);
  return d;
}

}  // namespace presil
