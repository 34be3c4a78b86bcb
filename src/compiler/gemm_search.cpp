#include "compiler/gemm_search.h"

#include <algorithm>
#include <cmath>

#include "base/integers.h"
#include "chip/engine_time.h"
#include "chip/supply.h"

namespace presil {
namespace {

constexpr std::int64_t kMaxTileM = 512;
constexpr std::int64_t kMaxTileN = 1024;
constexpr std::int64_t kMaxTileK = 16384;
constexpr std::int64_t kMaxSplit = 32;
constexpr std::int64_t kMinSplitK = 128;  // of k for each core of a split
// A row of a weight tile is at least two DRAM bursts long: shorter rows would waste them.
constexpr std::int64_t kMinRowBytes = 128;
// The timeline cuts a kernel into at most so many stages, or into pieces of a quarter of the cores'
// buffers.
constexpr std::int64_t kStages = 64;
// A hair of preference for what was found first keeps ties stable.
constexpr double kHair = 1 - 1e-9;

/// Sizes of a tile along an axis of `extent`: `grain` times powers of two, and those that cut the
/// axis into equal parts: a few, or as many as `cores`.
std::vector<std::int64_t> sizes(std::int64_t extent, std::int64_t grain, std::int64_t most,
                                std::int64_t cores) {
  most = std::max(grain, std::min(most, round_up(extent, grain)));
  std::vector<std::int64_t> list;
  for (std::int64_t v = grain; v <= most; v *= 2) list.push_back(v);
  const auto cut_evenly = [&](std::int64_t parts) {
    const std::int64_t v = round_up(ceil_div(extent, parts), grain);
    if (v <= most) list.push_back(v);
  };
  for (std::int64_t parts = 1; parts <= 8; ++parts) cut_evenly(parts);
  for (const std::int64_t part : {4, 2, 1}) cut_evenly(std::max<std::int64_t>(1, cores / part));
  for (const std::int64_t times : {2, 3, 4}) cut_evenly(cores * times);
  std::sort(list.begin(), list.end(), std::greater<>());
  list.erase(std::unique(list.begin(), list.end()), list.end());
  return list;
}

}  // namespace

TileBytes tile_bytes(const GemmShape& s, const GemmCut& c) {
  const std::int64_t buffers = c.overlapped ? 2 : 1;
  const std::int64_t m = std::min(c.m, s.m), n = std::min(c.n, s.n);
  return {buffers * m * bytes_of(s.activations, c.k).count(),
          buffers * stored_bytes(s.weights, s.scaling, n, c.k).count(), m * n * 4};
}

GemmSearch::GemmSearch(const GemmShape& shape, const Chip& chip, BytesPerSecond dram)
    : shape_(shape), chip_(chip), dram_(dram.count()) {
  const GemmShape& s = shape_;
  operands_ = {s.m,
               s.n,
               s.k,
               s.m * bytes_of(s.activations, s.k).count(),
               stored_bytes(s.weights, s.scaling, s.n, s.k).count(),
               s.multiply,
               s.vector,
               1};
  output_bytes_ = s.m * bytes_of(s.activations, s.gated ? s.n / 2 : s.n).count();
  const std::int64_t local = chip.core.count * chip.core.sram.size.count();
  const std::int64_t shared = usable_shared_memory(chip).count();
  const std::int64_t home = shared > 0 ? shared : local / 4;
  input_in_dram_ = operands_.input_bytes + output_bytes_ > home;
  const std::int64_t row_elements =
      ceil_div(kMinRowBytes * s.k_block, bytes_of(s.weights, s.k_block).count());
  base_k_ = round_up(std::max(chip.core.matrix.k, std::min(row_elements, s.k)), s.k_block);
  const std::int64_t pieces =
      ceil_div(operands_.weight_bytes, std::max<std::int64_t>(1, local / 8));
  most_stages_ = static_cast<double>(std::max(kStages, pieces));
}

double GemmSearch::engine_seconds(CoreCycles matrix, std::int64_t flops, std::int64_t exps,
                                  std::int64_t fed) const {
  const Core& core = chip_.core;
  return std::max({static_cast<double>(matrix.count()) / matrix_clock(core).count(),
                   static_cast<double>(vector_cycles(core.vector, flops, exps).count()) /
                       vector_clock(core).count(),
                   static_cast<double>(fed) / core.sram.read.count() / core.clock.count()});
}

double GemmSearch::seconds(const GemmCut& cut) const {
  const GemmDemand d = gemm_demand(operands_, cut, chip_);
  const double compute = engine_seconds(d.matrix, d.vector_flops + d.partial_sums / d.active_cores,
                                        d.exps, d.fed_bytes);
  const std::int64_t other = output_bytes_ + 2 * 4 * d.partial_sums;
  const auto carried = static_cast<double>(d.carried_bytes + other);
  const double unique = std::max(static_cast<double>(d.unique_bytes + other),
                                 carried / static_cast<double>(chip_.noc.multicast));
  const Carried supply{carried, unique, d.busy_share};
  const double on_chip =
      std::max({network_time(chip_, supply).count(), die_link_time(chip_, supply).count(),
                chip_.sram ? unique / chip_.sram->read.count() : 0});
  const std::int64_t inputs = input_in_dram_ ? operands_.input_bytes * d.input_passes : 0;
  const double fetched = static_cast<double>(operands_.weight_bytes * d.weight_passes + inputs);
  const double rate =
      chip_.dma ? std::min(dram_, dma_bandwidth(*chip_.dma, d.active_cores).count()) : dram_;
  const double dram = fetched / rate;
  const std::int64_t steps = std::min(d.waves * d.k_steps, kStages);
  const double stages =
      most_stages_ > static_cast<double>(kStages) ? most_stages_ : static_cast<double>(steps);
  if (!cut.overlapped) {
    const double core = on_chip + compute;
    return std::max(dram, core) + std::min(dram, core) / stages;
  }
  const double fetch = std::max(on_chip, dram);
  return std::max(fetch, compute) + std::min(fetch, compute) / stages;
}

GemmCut GemmSearch::smallest() const {
  const MatrixEngine& e = chip_.core.matrix;
  return {.m = e.m, .n = e.n, .k = base_k_, .overlapped = false};
}

bool GemmSearch::fits(const GemmCut& cut) const {
  return tile_bytes(shape_, cut).total() <= chip_.core.sram.size.count();
}

std::vector<std::int64_t> GemmSearch::k_tiles(std::int64_t split) const {
  const std::int64_t range = ceil_div(shape_.k, split);
  std::vector<std::int64_t> list =
      sizes(range, base_k_, std::max(base_k_, kMaxTileK / base_k_ * base_k_), 1);
  // Every core of the split has a share of its own.
  std::erase_if(list, [&](std::int64_t k) {
    return ceil_div(shape_.k, k_range_of({.k = k, .split = split}, shape_.k)) != split;
  });
  return list;
}

/// No cut of the branch is faster. Everything is at least what it would be with all of k in one
/// tile, with every operand that could stay in the cores staying, and with a last wave of the
/// narrowest tiles.
double GemmSearch::bound(std::int64_t m, std::int64_t n, std::int64_t split) const {
  const GemmOperands& g = operands_;
  const std::int64_t cores = chip_.core.count;
  m = std::min(m, g.m);
  n = std::min(n, g.n);
  const std::int64_t rows = ceil_div(g.m, m), columns = ceil_div(g.n, n);
  const std::int64_t tiles = rows * columns * split;
  const std::int64_t whole_waves = tiles / cores;
  const std::int64_t least_n = std::min(n, whole_waves > 0 ? chip_.core.matrix.n : n);
  const std::int64_t k = ceil_div(g.k, split);
  CoreCycles matrix;
  std::int64_t flops = 0, exps = 0, fed = 0;
  const auto add_waves = [&](std::int64_t waves, std::int64_t width) {
    if (waves == 0) return;
    const auto part = [&](std::int64_t bytes, std::int64_t of, std::int64_t whole) {
      return static_cast<double>(bytes) * static_cast<double>(of) / static_cast<double>(whole);
    };
    matrix += matrix_cycles(chip_.core.matrix, m, width, k, g.multiply) * waves;
    flops += g.vector.flops(m, width, k) * waves;
    exps += g.vector.exps(m, width) * waves;
    const double bytes = part(g.input_bytes, m, g.m) + part(g.weight_bytes, width, g.n);
    fed += static_cast<std::int64_t>(bytes / static_cast<double>(split)) * waves;
  };
  add_waves(whole_waves, n);
  add_waves(tiles % cores > 0 ? 1 : 0, least_n);
  const double compute = engine_seconds(matrix, flops, exps, fed);

  const std::int64_t other = output_bytes_ + 2 * 4 * (split - 1) * g.m * g.n;
  const std::int64_t inputs_stay = g.input_bytes + rows * g.weight_bytes;
  const std::int64_t weights_stay = columns * g.input_bytes + g.weight_bytes;
  const auto carried =
      static_cast<double>(other + (split == 1 ? std::min(inputs_stay, weights_stay)
                                              : columns * g.input_bytes + rows * g.weight_bytes));
  const double busy =
      whole_waves > 0 ? 1.0 : static_cast<double>(tiles) / static_cast<double>(cores);
  const double noc = carried / (chip_.noc.bandwidth.count() * busy);
  const double unique = std::max(static_cast<double>(g.input_bytes + g.weight_bytes + other),
                                 carried / static_cast<double>(chip_.noc.multicast));
  const double dram =
      static_cast<double>(g.weight_bytes + (input_in_dram_ ? g.input_bytes : 0)) / dram_;
  const double fetch = std::max({noc, chip_.sram ? unique / chip_.sram->read.count() : 0, dram});
  return std::max(fetch, compute) + std::min(fetch, compute) / most_stages_;
}

std::vector<GemmSearch::Branch> GemmSearch::branches() const {
  const MatrixEngine& e = chip_.core.matrix;
  const std::int64_t cores = chip_.core.count;
  const std::vector<std::int64_t> ns = sizes(shape_.n, e.n, kMaxTileN, cores);
  std::vector<Branch> list;
  for (const std::int64_t m : sizes(shape_.m, e.m, kMaxTileM, cores)) {
    for (const std::int64_t n : ns) {
      if (!fits({.m = m, .n = n, .k = base_k_, .overlapped = false})) continue;
      for (std::int64_t split = 1; split <= kMaxSplit; split *= 2) {
        if (split > 1 && shape_.k / split < std::max(kMinSplitK, base_k_)) break;
        list.push_back({m, n, split, bound(m, n, split)});
      }
    }
  }
  return list;
}

template <class F>
void GemmSearch::each_cut(const Branch& branch, F visit) const {
  const std::int64_t cores = chip_.core.count;
  const std::int64_t rows = ceil_div(shape_.m, branch.m);
  const std::int64_t columns = ceil_div(shape_.n, branch.n);
  const std::int64_t tiles = rows * columns * branch.split;
  GemmCut cut{.m = branch.m, .n = branch.n, .k = 1, .split = branch.split};
  const auto each_last = [&] {
    cut.last_n = 0;
    if (!visit(cut)) return false;
    if (tiles <= cores || tiles % cores == 0) return true;
    const std::int64_t grain = chip_.core.matrix.n;
    for (std::int64_t n = branch.n; n > grain;) {
      n = round_up(ceil_div(n, 2), grain);
      cut.last_n = n;
      if (!visit(cut)) return false;
      if (n == grain) break;
    }
    return true;
  };
  const auto each_strip = [&] {
    for (const bool of_rows : {true, false}) {
      cut.strips_of_rows = of_rows;
      cut.strip = 0;
      if (!each_last()) return false;
      if (tiles <= cores || rows == 1 || columns == 1) return true;
      const std::int64_t most = std::min(cores, of_rows ? rows : columns);
      for (std::int64_t strip = 1; strip < most; strip *= 2) {
        cut.strip = strip;
        if (!each_last()) return false;
      }
    }
    return true;
  };
  for (const std::int64_t k : k_tiles(branch.split)) {
    cut.k = k;
    for (const bool overlapped : {true, false}) {
      cut.overlapped = overlapped;
      if (fits(cut) && !each_strip()) return;
    }
  }
}

std::optional<GemmChoice> GemmSearch::best() const {
  std::vector<Branch> list = branches();
  std::sort(list.begin(), list.end(),
            [](const Branch& a, const Branch& b) { return a.bound < b.bound; });
  std::optional<GemmChoice> best;
  for (const Branch& branch : list) {
    const double goal = branch.bound / kHair;
    if (best && best->seconds <= goal) break;
    each_cut(branch, [&](const GemmCut& cut) {
      const double time = seconds(cut);
      if (!best || time < best->seconds * kHair) best = {cut, time};
      return best->seconds > goal;
    });
  }
  return best;
}

std::vector<GemmChoice> GemmSearch::all() const {
  std::vector<GemmChoice> list;
  for (const Branch& branch : branches()) {
    each_cut(branch, [&](const GemmCut& cut) {
      list.push_back({cut, seconds(cut)});
      return true;
    });
  }
  return list;
}

Mapping mapping_of(const GemmCut& c, const GemmShape& s) {
  const Loop m{Axis::m, c.m, Over::cores}, n{Axis::n, c.n, Over::cores},
      k{Axis::k, c.k, Over::time};
  Mapping mapping;
  mapping.split_k = c.split;
  mapping.buffers = c.overlapped ? 2 : 1;
  mapping.last_n = c.last_n;
  mapping.loops = c.strips_of_rows ? std::vector<Loop>{n, m, k} : std::vector<Loop>{m, n, k};
  const Loop& across = mapping.loops[1];
  if (c.strip > 0 && c.strip * across.tile < (c.strips_of_rows ? s.m : s.n)) {
    mapping.loops.insert(mapping.loops.begin(), {across.axis, c.strip * across.tile, Over::time});
  }
  return mapping;
}

GemmCut cut_of(const Mapping& mapping, const GemmShape& s) {
  const auto tile = [&](Axis axis, std::int64_t extent) {
    const std::int64_t t = mapping.tile(axis);
    return t == 0 ? extent : t;
  };
  GemmCut c;
  c.m = tile(Axis::m, s.m);
  c.n = tile(Axis::n, s.n);
  c.k = tile(Axis::k, s.k);
  c.split = mapping.split_k;
  c.strips_of_rows = mapping.strip().axis == Axis::m;
  c.strip = ceil_div(mapping.strip().elements, c.strips_of_rows ? c.m : c.n);
  c.last_n = mapping.last_n;
  c.overlapped = mapping.buffers > 1;
  return c;
}

}  // namespace presil
