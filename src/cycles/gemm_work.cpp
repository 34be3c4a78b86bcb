#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/integers.h"
#include "chip/engine_time.h"
#include "cycles/operator_work.h"
#include "cycles/vector_flops.h"
#include "program/moe.h"

namespace presil {
namespace {

constexpr std::int64_t kMostPasses = 1 << 20;  // each is a stream of its own

/// A product cut by its mapping: tiles are handed to the cores in waves, a core passes along k. A
/// grouped product is `groups` products of m rows each or fewer.
struct GemmCut {
  std::int64_t m, n, k;
  std::int64_t rows;  // of all groups
  std::int64_t groups;
  std::int64_t weight_bytes;  // of all groups
  std::int64_t tile_m, tile_n, tile_k;
  std::int64_t split;    // cores that share a tile, each with its k_range
  std::int64_t k_range;  // of one core
  std::int64_t tiles_m, tiles_n, tiles, k_steps, waves;
};

GemmCut cut_of(const KernelMeter& meter) {
  GemmCut c{};
  c.m = c.rows = meter.extent(Axis::m);
  c.n = meter.extent(Axis::n);
  c.k = meter.extent(Axis::k);
  c.groups = 1;
  c.weight_bytes = meter.weight_bytes();
  if (meter.kernel().op == Op::grouped_gemm) {
    const ExpertLoad load = expert_load(meter.kernel(), meter.step());
    c.m = load.rows;
    c.rows = load.pairs;
    c.groups = static_cast<std::int64_t>(std::ceil(load.touched));
    const double share = load.touched / static_cast<double>(load.experts);
    c.weight_bytes = static_cast<std::int64_t>(static_cast<double>(c.weight_bytes) * share);
  }
  c.split = meter.split_k();
  c.tile_m = meter.tile(Axis::m, c.m);
  c.tile_n = meter.tile(Axis::n, c.n);
  c.k_range = ceil_div(c.k, c.split);
  c.tile_k = meter.tile(Axis::k, c.k_range);
  c.tiles_m = ceil_div(c.m, c.tile_m);
  c.tiles_n = ceil_div(c.n, c.tile_n);
  c.tiles = c.groups * c.tiles_m * c.tiles_n * c.split;
  c.k_steps = ceil_div(c.k_range, c.tile_k);
  c.waves = ceil_div(c.tiles, meter.chip().core.count);
  return c;
}

void multiply(KernelMeter& meter, const GemmCut& c) {
  // The last step along k may be short.
  const std::int64_t last_k = c.k_range - (c.k_steps - 1) * c.tile_k;
  const MatrixEngine& engine = meter.chip().core.matrix;
  const Format format = meter.kernel().multiply;
  const CoreCycles full = matrix_cycles(engine, c.tile_m, c.tile_n, c.tile_k, format);
  const CoreCycles last = matrix_cycles(engine, c.tile_m, c.tile_n, last_k, format);
  meter.matrix((full * (c.k_steps - 1) + last) * c.waves, c.rows * c.n * c.k);
  meter.useful(2 * c.rows * c.n * c.k);
}

/// Operands on their way from DRAM and shared memory to the cores' engines.
void carry_operands(KernelMeter& meter, const GemmCut& c) {
  const Chip& chip = meter.chip();
  const Format activations = meter.tensor(meter.kernel().inputs.front()).format;
  const std::int64_t input = c.rows * bytes_of(activations, c.k).count();
  const std::int64_t weights = c.weight_bytes;
  const std::int64_t core_bytes = (c.tile_m * bytes_of(activations, c.k_range).count() +
                                   weights / c.groups * c.tile_n / c.n / c.split) *
                                  c.waves;
  const std::int64_t carried = c.tiles_n * input + c.tiles_m * weights;
  meter.local(core_bytes, 2 * carried);  // written by the DMA, read by the engine

  // A wave holds as many row tiles as there are; the columns it covers share their weights.
  const std::int64_t rows_in_wave = std::min(c.tiles_m, chip.core.count);
  const std::int64_t panel = c.tile_n * (weights / c.groups / c.n);
  const bool panel_stays = chip.sram && panel * ceil_div(chip.core.count, rows_in_wave) <=
                                            meter.program().shared_memory.count() / 2;
  const std::int64_t passes = panel_stays ? 1 : ceil_div(c.tiles_m, rows_in_wave);
  if (passes > kMostPasses) {
    throw LimitReached(fmt::format("{}: {} reads its weights {} times; at most {} are simulated",
                                   chip.name, meter.kernel().name, passes, kMostPasses));
  }
  meter.read_weights(passes, weights);
  meter.carry(carried, input + weights * passes);
}

/// Partial sums travel once to the core that adds them.
void add_partial_sums(KernelMeter& meter, const GemmCut& c) {
  const std::int64_t elements = (c.split - 1) * c.rows * c.n;
  meter.carry(2 * 4 * elements, 2 * 4 * elements);
  meter.vector(elements / meter.active_cores(), 0, meter.active_cores());
}

bool k_by_128(Scaling s) {
  return s == Scaling::group_128 || s == Scaling::block_128;
}

/// The segments of a sum over k: each is scaled and added on the vector engine. Scales of 32 and
/// 16 elements are the matrix engine's.
std::int64_t segments(const ProductNumerics& numerics, std::int64_t k) {
  std::int64_t length = numerics.accumulator.promote_every;
  for (const auto& operand : {numerics.weights, numerics.activations}) {
    if (operand && k_by_128(operand->scaling)) {
      length = length == 0 ? 128 : std::min<std::int64_t>(length, 128);
    }
  }
  return length == 0 ? 1 : ceil_div(k, length);
}

/// Of a tile: its epilogue, and what its operands and sums are converted by.
std::int64_t vector_flops(const KernelMeter& meter, std::int64_t m, std::int64_t n,
                          std::int64_t k) {
  const Kernel& kernel = meter.kernel();
  const ProductNumerics& numerics = products_of(meter.program(), kernel);
  std::int64_t flops = 0;
  if (kernel.epilogue == Epilogue::add) flops += m * n;
  if (kernel.epilogue == Epilogue::swiglu) flops += kSwigluFlops * m * n / 2;
  const Format weights = meter.tensor(kernel.weights.front()).format;
  if (!numerics.activations && is_block_format(weights) && kernel.multiply == Format::int8) {
    return flops + kBlockDotFlops * m * n * ceil_div(k, 32) + kQuantiseFlops * m * k;
  }
  // What the engine does not multiply as it lies in memory is converted on the way.
  if (weights != kernel.multiply && weights != Format::fp32) flops += kDequantiseFlops * n * k;
  if (numerics.activations && numerics.activations->scaling != Scaling::none) {
    flops += kQuantiseFlops * m * k + kScaleFlops * m * n * segments(numerics, k);
  }
  return flops;
}

}  // namespace

void count_gemm(KernelMeter& meter) {
  const GemmCut c = cut_of(meter);
  const std::int64_t cores = meter.chip().core.count;
  meter.run_on(c.waves * c.k_steps, std::min(c.tiles, cores),
               static_cast<double>(c.tiles) / static_cast<double>(c.waves * cores));
  multiply(meter, c);
  carry_operands(meter, c);
  const bool swiglu = meter.kernel().epilogue == Epilogue::swiglu;
  meter.vector(vector_flops(meter, c.tile_m, c.tile_n, c.k_range) * c.waves,
               swiglu ? c.tile_m * c.tile_n / 2 * c.waves : 0, meter.active_cores());
  if (c.split > 1) add_partial_sums(meter, c);
}

}  // namespace presil
