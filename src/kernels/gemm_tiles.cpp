#include "kernels/gemm_tiles.h"

#include <array>
#include <vector>

namespace presil::kernels {
namespace {

constexpr std::int64_t kSplits[] = {1, 2, 3, 4, 5, 6, 8, 10, 12, 16};
constexpr std::span<const std::int64_t> kNoSplit(kSplits, 1);

/// Largest first: good tiles come early, so that most others are cut off by their bound.
constexpr GemmTile kFixed[] = {
    {256, 128}, {128, 256}, {128, 128}, {256, 64}, {64, 256}, {128, 64}, {64, 128}, {64, 64},
    {32, 128},  {128, 32},  {32, 64},   {64, 32},  {16, 128}, {128, 16}, {16, 64},  {64, 16},
};
constexpr GemmTile kFree[] = {
    {128, 256}, {256, 128}, {128, 224}, {224, 128}, {128, 192}, {192, 128}, {128, 160}, {160, 128},
    {128, 128}, {128, 96},  {96, 128},  {128, 64},  {64, 256},  {256, 64},  {192, 64},  {64, 192},
    {64, 128},  {64, 96},   {96, 64},   {64, 64},   {64, 32},   {32, 64},   {64, 16},   {16, 64},
    {64, 8},    {8, 64},    {128, 32},  {32, 128},  {128, 16},  {16, 128},
};

constexpr GemmTile k16By64[] = {{16, 64}};
constexpr GemmTile k64By64[] = {{64, 64}};
constexpr GemmTile k64By128[] = {{64, 128}};
constexpr GemmTile k128By128[] = {{128, 128}};
constexpr GemmTile k256By128[] = {{256, 128}};

/// CUTLASS's fp8 kernels on wgmma as vLLM calls them: its table by the numbers of tokens and
/// outputs, with the operands swapped for few tokens.
GemmTiles vllm_cutlass(const GemmCall& c) {
  if (c.m <= 16 || (c.m <= 64 && c.n <= 1280)) return {k16By64, kNoSplit};
  if (c.m <= 64) return {k64By64, kNoSplit};
  if (c.m <= 128) return {k64By128, kNoSplit, 2};
  if (c.m >= 8192 && c.k >= 6144) return {k256By128, kNoSplit, 2};
  return {k128By128, kNoSplit, 2};
}

/// The same as SGLang calls them.
GemmTiles sgl_cutlass(const GemmCall& c) {
  if (c.m <= 64) return {k64By64, kNoSplit, 1, 4};
  if (c.m <= 128) return {k64By64, kNoSplit};
  return {k128By128, kNoSplit, 2};
}

// DeepGEMM's, as its source lists them: scales of a tile come from two blocks of 128 at most.
constexpr std::int64_t kTallWidths[] = {16, 32, 48, 64, 80, 96, 112, 128, 144, 160, 192};

std::int64_t ceil_div(std::int64_t a, std::int64_t b) {
  return (a + b - 1) / b;
}

std::vector<GemmTile> blocks(std::int64_t least, std::int64_t most, std::int64_t step, bool swap) {
  std::vector<GemmTile> tiles;
  for (const std::int64_t side : {128, 64}) {
    for (std::int64_t free = most; free >= least; free -= step) {
      tiles.push_back(swap ? GemmTile{free, side} : GemmTile{side, free});
    }
  }
  return tiles;
}

}  // namespace

GemmTiles gemm_tiles(const GemmCall& call, std::string_view generation) {
  static const std::vector<GemmTile> kBlocks = blocks(16, 160, 16, false);
  static const std::vector<GemmTile> kSwapped = blocks(8, 128, 8, true);
  switch (call.kernel) {
    case GemmKernel::library:
    case GemmKernel::eager:
    case GemmKernel::rocblas:
      if (generation == "wgmma" || generation == "tcgen05") return {kFree, kSplits, 1, 1, 1, true};
      return {kFixed, kSplits, 1, 1, 1, true};
    case GemmKernel::cutlass:
      return vllm_cutlass(call);
    case GemmKernel::sgl_cutlass:
      return sgl_cutlass(call);
    case GemmKernel::blocks:
    case GemmKernel::tall_blocks:
      return {kBlocks, kNoSplit, 1, 1, 64};
    case GemmKernel::cutlass_block:
      // 64 rows keep one of a core's two warp groups busy, which adds up its blocks' partial sums
      // no faster than two do.
      return {kBlocks, kNoSplit, call.m > 128 ? 2.0 : 1.0, 1, 128};
    case GemmKernel::swapped:
    case GemmKernel::flashinfer:
      return {kSwapped, kNoSplit};
  }
  return {kFixed, kSplits, 1, 1, 1, true};
}

GemmTile tile_by_waves(bool tall, std::int64_t m, std::int64_t n, std::int64_t cores) {
  struct Choice {
    GemmTile tile;
    std::int64_t waves, last;
  };
  Choice best{{0, 0, 1}, 0, 0};
  const auto consider = [&](std::int64_t tm, std::int64_t tn) {
    const std::int64_t tiles = ceil_div(m, tm) * ceil_div(n, tn);
    const Choice c{{tm, tn, 1}, ceil_div(tiles, cores), (tiles - 1) % cores + 1};
    const auto& [b, waves, last] = best;
    bool better = b.m == 0 || c.waves < waves || (c.waves == waves && c.last > last);
    if (c.waves == waves && c.last == last) {
      // Of equals the smaller; of quite different ones the wider, while it is within the product.
      better = (tm == b.m && tn < b.n) || (tn == b.n && tm < b.m) ||
               (tm != b.m && tn > b.n && tn <= n && tm <= m);
    }
    if (better) best = c;
  };
  if (!tall) {
    for (std::int64_t tn = 16; tn <= 128; tn += 8) consider(m <= 64 ? 64 : 128, tn);
    return best.tile;
  }
  for (const std::int64_t tm : {64, 128, 256, 16, 32}) {
    if (tm < 64 && m > tm) continue;
    for (const std::int64_t tn : kTallWidths) {
      if (tm <= 128 || tn <= 128) consider(tm, tn);
    }
  }
  return best.tile;
}

bool stalls(const GemmTile& tile, std::int64_t m, std::int64_t n, std::int64_t cores) {
  const std::int64_t columns = ceil_div(n, tile.n), rows = ceil_div(m, tile.m);
  if (rows * columns > cores || tile.n % 32 != 0 || tile.m * tile.n < 24'576) return false;
  // A tile is full when none of its groups of 64 rows is without any token.
  const std::int64_t last = m - (rows - 1) * tile.m;
  const std::int64_t full = (last > tile.m - 64 ? rows : rows - 1) * columns;
  return 5 * full >= 4 * cores;
}

}  // namespace presil::kernels
