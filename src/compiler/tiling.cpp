#include "compiler/tiling.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <fmt/format.h>

#include "base/integers.h"
#include "chip/engine_time.h"

namespace presil {
namespace {

constexpr std::int64_t kLeastBlock = 32;
constexpr std::int64_t kMaxTileM = 512;
constexpr std::int64_t kMaxTileN = 1024;
constexpr std::int64_t kMaxTileK = 4096;
constexpr std::int64_t kMinSplitK = 128;  // of k for each core of a split
// A row of a weight tile is at least two DRAM bursts long: shorter rows would waste them.
constexpr std::int64_t kMinRowBytes = 128;

struct Tile {
  std::int64_t m, n, k, split;
};

std::int64_t weight_bytes(const GemmShape& s, std::int64_t n, std::int64_t k) {
  return stored_bytes(s.weights, s.scaling, n, k).count();
}

std::int64_t buffer_bytes(const GemmShape& s, const Tile& t) {
  const std::int64_t in = t.m * bytes_of(s.activations, t.k).count();
  const std::int64_t weights = weight_bytes(s, t.n, t.k);
  return 2 * (in + weights) + t.m * t.n * 4;  // two of each operand, one fp32 accumulator
}

/// Seconds; see tiling.h. The slowest of the resources, plus what cannot overlap: the first load,
/// the last tile's store, and the reduction of a split.
double cost(const GemmShape& s, const Tile& t, const Chip& chip, BytesPerSecond dram) {
  const std::int64_t tiles = ceil_div(s.m, t.m) * ceil_div(s.n, t.n) * t.split;
  const std::int64_t waves = ceil_div(tiles, chip.core.count);
  const std::int64_t steps = ceil_div(ceil_div(s.k, t.split), t.k);
  const double step_bytes =
      static_cast<double>(t.m * bytes_of(s.activations, t.k).count() + weight_bytes(s, t.n, t.k));
  const double matrix =
      static_cast<double>(
          matrix_cycles(chip.core.matrix, std::min(t.m, s.m), t.n, t.k, s.multiply).count()) /
      matrix_clock(chip.core).count();
  const double feed = step_bytes / chip.core.sram.read.count() / chip.core.clock.count();
  const double core_time = static_cast<double>(waves * steps) * std::max(matrix, feed);

  const double carried = step_bytes * static_cast<double>(steps * tiles);
  // A core takes in its own share of the network, and the last wave may leave cores without work.
  const double busy = static_cast<double>(tiles) / static_cast<double>(waves * chip.core.count);
  const double noc = carried / (chip.noc.bandwidth.count() * busy);
  const double unique = carried / static_cast<double>(chip.noc.multicast);
  const double shared = chip.sram ? unique / chip.sram->read.count() : 0;
  const double weights = static_cast<double>(weight_bytes(s, s.n, s.k)) / dram.count();

  const double active = static_cast<double>(std::min(tiles, chip.core.count));
  const double first_load =
      step_bytes * active / std::min(dram.count(), chip.noc.bandwidth.count());
  const double store = static_cast<double>(t.m * t.n * 4) * active / chip.noc.bandwidth.count();
  const double reduce = t.split > 1 ? 2 * store * static_cast<double>(waves) : 0;
  return std::max({core_time, noc, shared, weights}) + first_load + store + reduce;
}

std::vector<std::int64_t> powers(std::int64_t from, std::int64_t to) {
  std::vector<std::int64_t> list;
  for (std::int64_t v = from; v < 2 * to; v *= 2) list.push_back(v);
  return list;
}

}  // namespace

std::int64_t k_block(Format format, Scaling scaling) {
  const std::int64_t block = info(format).block_elements;
  const bool by_128 = scaling == Scaling::group_128 || scaling == Scaling::block_128;
  return std::max({kLeastBlock, block, std::int64_t{by_128 ? 128 : 1}});
}

Feasible<Mapping> choose_gemm_mapping(const GemmShape& s, const Chip& chip, BytesPerSecond dram) {
  const MatrixEngine& e = chip.core.matrix;
  const std::int64_t local = chip.core.sram.size.count();
  const std::int64_t row_elements =
      ceil_div(kMinRowBytes * s.k_block, bytes_of(s.weights, s.k_block).count());
  const std::int64_t base_k = round_up(std::max(e.k, std::min(row_elements, s.k)), s.k_block);
  std::vector<std::int64_t> tile_ns = powers(e.n, std::min(kMaxTileN, round_up(s.n, e.n)));
  // The width that gives each core exactly one tile, when a power of two does not.
  tile_ns.push_back(std::min(kMaxTileN, round_up(ceil_div(s.n, chip.core.count), e.n)));

  const Tile smallest{std::min(e.m, s.m), e.n, base_k, 1};
  if (buffer_bytes(s, smallest) > local) {
    const std::int64_t needed = buffer_bytes(s, smallest);
    return tl::unexpected(Infeasible{
        fmt::format("the smallest {} x {} x {} tile needs {} bytes of local memory, {} more than a "
                    "core has",
                    smallest.m, smallest.n, smallest.k, needed, needed - local),
        fmt::format("core.sram.size of {} bytes or more", needed)});
  }
  Tile best = smallest;
  double best_cost = cost(s, best, chip, dram);
  for (const std::int64_t m : powers(e.m, std::min(kMaxTileM, round_up(s.m, e.m)))) {
    for (const std::int64_t n : tile_ns) {
      for (std::int64_t split = 1; split <= 32; split *= 2) {
        if (split > 1 && s.k / split < std::max(kMinSplitK, s.k_block)) break;
        const std::int64_t k_range = round_up(ceil_div(s.k, split), s.k_block);
        for (const std::int64_t k : powers(base_k, std::min(kMaxTileK, k_range))) {
          const Tile t{m, n, std::min(k, round_up(k_range, base_k)), split};
          if (buffer_bytes(s, t) > local) break;
          const double c = cost(s, t, chip, dram);
          // A hair of preference for the earlier, smaller tile keeps ties stable.
          if (c < best_cost * (1 - 1e-9)) {
            best = t;
            best_cost = c;
          }
        }
      }
    }
  }
  Mapping mapping;
  mapping.split_k = best.split;
  mapping.loops = {{Axis::n, best.n, Over::cores},
                   {Axis::m, best.m, Over::cores},
                   {Axis::k, best.k, Over::time}};
  return mapping;
}

Feasible<Mapping> choose_attention_mapping(const AttentionShape& s, const Chip& chip) {
  const std::int64_t local = chip.core.sram.size.count();
  const std::int64_t key_bytes =  // K and V of one key
      2 * stored_bytes(s.cache.format, s.cache.scaling, 1, s.head_dim).count();
  const std::int64_t tile_q = std::min<std::int64_t>(std::max<std::int64_t>(1, s.queries), 128);
  // Rows of the tile: the query heads of a group are packed into it, as flash kernels do.
  const std::int64_t rows = tile_q * s.group;
  for (std::int64_t tile_c = 256; tile_c >= 8; tile_c /= 2) {
    for (std::int64_t q = tile_q; q >= 1; q = q == 1 ? 0 : q / 2) {
      const std::int64_t state = q * s.group * (s.head_dim + tile_c + 2) * 4;
      const std::int64_t in = q * s.group * bytes_of(Format::fp16, s.head_dim).count();
      if (2 * tile_c * key_bytes + state + in > local) continue;
      Mapping mapping;
      mapping.loops = {{Axis::s, 1, Over::cores},
                       {Axis::h, 1, Over::cores},
                       {Axis::q, q, Over::cores},
                       {Axis::c, tile_c, Over::time}};
      return mapping;
    }
  }
  return tl::unexpected(Infeasible{
      fmt::format("attention over {} packed rows of {} does not fit {} bytes of local memory", rows,
                  s.head_dim, local),
      "a larger core.sram.size"});
}

}  // namespace presil
