#include "compiler/tiling.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/integers.h"

namespace presil {
namespace {

constexpr std::int64_t kLeastBlock = 32;
constexpr std::int64_t kMostQueries = 128;  // of a tile
constexpr std::int64_t kMostKeys = 256, kFewestKeys = 8;

}  // namespace

std::int64_t k_block(Format format, Scaling scaling) {
  const std::int64_t block = info(format).block_elements;
  const bool by_128 = scaling == Scaling::group_128 || scaling == Scaling::block_128;
  return std::max({kLeastBlock, block, std::int64_t{by_128 ? 128 : 1}});
}

Feasible<Mapping> choose_gemm_mapping(const GemmShape& s, const Chip& chip, BytesPerSecond dram) {
  const GemmSearch search(s, chip, dram);
  if (const auto found = search.best()) return mapping_of(found->cut, s);
  const GemmCut tile = search.smallest();
  const TileBytes bytes = tile_bytes(s, tile);
  const std::int64_t local = chip.core.sram.size.count();
  return tl::unexpected(Infeasible{
      fmt::format(
          "the smallest {} x {} x {} tile needs {} bytes of local memory (core.sram: {} for "
          "inputs, {} for weights, {} for sums), {} more than a core has",
          std::min(tile.m, s.m), std::min(tile.n, s.n), tile.k, bytes.total(), bytes.inputs,
          bytes.weights, bytes.sums, bytes.total() - local),
      fmt::format("core.sram.size of {} bytes or more", bytes.total())});
}

AttentionTileBytes tile_bytes(const AttentionShape& s, std::int64_t queries, std::int64_t keys) {
  // Rows of the tile: the query heads of a group are packed into it, as flash kernels do.
  const std::int64_t rows = queries * s.group;
  const std::int64_t key =  // K and V of one key
      2 * stored_bytes(s.cache.format, s.cache.scaling, 1, s.head_dim).count();
  return {2 * keys * key, rows * bytes_of(Format::fp16, s.head_dim).count(),
          rows * (s.head_dim + keys + 2) * 4};
}

Feasible<Mapping> choose_attention_mapping(const AttentionShape& s, const Chip& chip) {
  const std::int64_t local = chip.core.sram.size.count();
  const std::int64_t most = std::min(std::max<std::int64_t>(1, s.queries), kMostQueries);
  AttentionShape tile = s;  // with fewer heads, when those that share keys are too many together
  for (; tile.group >= 1; tile.group /= 2) {
    for (std::int64_t keys = kMostKeys; keys >= kFewestKeys; keys /= 2) {
      for (std::int64_t queries = most; queries >= 1; queries /= 2) {
        if (tile_bytes(tile, queries, keys).total() > local) continue;
        Mapping mapping;
        mapping.loops = {{Axis::s, 1, Over::cores}, {Axis::h, 1, Over::cores}};
        if (tile.group < s.group) mapping.loops.push_back({Axis::n, tile.group, Over::cores});
        mapping.loops.push_back({Axis::q, queries, Over::cores});
        mapping.loops.push_back({Axis::c, keys, Over::time});
        return mapping;
      }
    }
  }
  tile.group = 1;
  const AttentionTileBytes bytes = tile_bytes(tile, 1, kFewestKeys);
  return tl::unexpected(Infeasible{
      fmt::format("attention of a head of {} over {} keys needs {} bytes of local memory "
                  "(core.sram: {} for keys and values, {} for queries, {} for scores and sums), {} "
                  "more than a core has",
                  s.head_dim, kFewestKeys, bytes.total(), bytes.keys, bytes.queries, bytes.sums,
                  bytes.total() - local),
      fmt::format("core.sram.size of {} bytes or more", bytes.total())});
}

}  // namespace presil
