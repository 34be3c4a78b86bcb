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

// CUTLASS's fp8 kernels as vLLM and SGLang call them: a table by the number of tokens.
constexpr GemmTile kUpTo64[] = {{64, 64}};
constexpr GemmTile kUpTo128[] = {{64, 128}};
constexpr GemmTile kMore[] = {{128, 128}};

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

GemmTiles gemm_tiles(GemmKernel kernel, std::string_view generation, std::int64_t m) {
  static const std::vector<GemmTile> kBlocks = blocks(16, 160, 16, false);
  static const std::vector<GemmTile> kSwapped = blocks(8, 128, 8, true);
  switch (kernel) {
    case GemmKernel::library:
    case GemmKernel::eager:
    case GemmKernel::rocblas:
      if (generation == "wgmma" || generation == "tcgen05") return {kFree, kSplits, 1, 1, true};
      return {kFixed, kSplits, 1, 1, true};
    case GemmKernel::cutlass:
      if (m <= 64) return {kUpTo64, kNoSplit};
      if (m <= 128) return {kUpTo128, kNoSplit};
      return {kMore, kNoSplit, 2};
    case GemmKernel::blocks:
    case GemmKernel::cutlass_block:
      // 64 rows keep one of a core's two warp groups busy, which adds up its blocks' partial sums
      // no faster than two do.
      return {kBlocks, kNoSplit, m > 128 ? 2.0 : 1.0, 128};
    case GemmKernel::swapped:
    case GemmKernel::flashinfer:
      return {kSwapped, kNoSplit};
  }
  return {kFixed, kSplits, 1, 1, true};
}

}  // namespace presil::kernels
