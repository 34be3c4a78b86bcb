#include "kernels/decode_plan.h"

#include <algorithm>
#include <cmath>
#include <iterator>

namespace presil::kernels {
namespace {

// Tiles and split rules are recalled from flash-attention 2 and 3 and from TensorRT-LLM (8 waves of
// 128 keys at least), and agree with where the measured rows step. By those rows alone (estimates):
// softmax, wait_us, triton's splits, mmha's and FlashAttention 4's rules.
constexpr DecodeKernel kKernels[] = {
    {.name = "fa2", .split = Split::fill_wave, .tile_m = 64, .softmax = 1.5, .by_warps = true},
    {.name = "fa2_plain", .split = Split::never, .tile_m = 64, .softmax = 1.5, .by_warps = true},
    {.name = "fa2_lone",
     .split = Split::never,
     .tile_m = 64,
     .softmax = 1.5,
     .by_warps = true,
     .wait_us = 1.7},
    {.name = "fa3_mma",
     .split = Split::share_blocks,
     .tile_m = 128,
     .softmax = 1.5,
     .by_warps = true},
    {.name = "fa3", .split = Split::share_blocks, .tile_m = 128},
    {.name = "fa3_narrow_values",
     .split = Split::share_blocks,
     .tile_m = 128,
     .value_share = 128.0 / 192},
    {.name = "fa3_fp8",
     .split = Split::share_blocks,
     .tile_m = 128,
     .softmax = 0.6,
     .own_format = true},
    {.name = "fa3_fp8_wide",
     .split = Split::share_blocks,
     .tile_m = 128,
     .softmax = 0.6,
     .own_format = true},
    {.name = "fa4", .split = Split::share_blocks, .tile_m = 128, .serial = true},
    {.name = "triton", .split = Split::fixed, .splits = 8, .least_keys = 32, .resident = 2},
    {.name = "mmha",
     .split = Split::cover_cores,
     .by_head = true,
     .least_keys = 256,
     .least_dims = 64},
    {.name = "xqa", .split = Split::target_waves, .splits = 8, .least_keys = 128, .least_dims = 64},
    {.name = "xqa_async",
     .split = Split::target_waves,
     .splits = 8,
     .least_keys = 128,
     .least_dims = 128},
};

// The fifth generation's kernels take the constants of xqa_async, the newest measured; they cut
// keys into one wave, and must load ahead of twice the DRAM rate a core (estimates, from the
// chips).
constexpr DecodeKernel kTcgen05 = {.name = "xqa_async",
                                   .split = Split::cover_cores,
                                   .least_keys = 128,
                                   .least_dims = 64,
                                   .ahead = 2};

// vLLM's graphs keep room for this many splits of FlashAttention 3 (recalled; its rows agree).
constexpr double kGraphSplits = 32;

double ceil_div(double a, double b) {
  return std::ceil(a / b);
}

/// The fewest splits of `blocks` that fill waves of `slots` nearly as well as the best number does.
double filling_splits(double ctas, double slots, double blocks, bool skip_equal) {
  if (ctas >= 0.8 * slots) return 1;
  const double most = std::min({128.0, slots, blocks});
  const auto fill = [&](double s) {
    if (skip_equal && s > 1 && ceil_div(blocks, s) == ceil_div(blocks, s - 1)) return 0.0;
    const double waves = ctas * s / slots;
    return waves / std::ceil(waves);
  };
  double best = 0;
  for (double s = 1; s <= most; ++s) best = std::max(best, fill(s));
  for (double s = 1; s <= most; ++s) {
    if (fill(s) >= 0.85 * best) return s;
  }
  return 1;
}

}  // namespace

double element_bytes(Format format) {
  const FormatInfo& f = info(format);
  return static_cast<double>(bytes_of(format, 128 * f.block_elements).count()) /
         (128.0 * f.block_elements);
}

double keys_seen(const AttentionGroup& g, std::int64_t window) {
  const double all = static_cast<double>(g.context + g.seq);
  return window > 0 ? std::min(all, static_cast<double>(window)) : all;
}

const DecodeKernel& decode_kernel_named(std::string_view name, std::string_view generation) {
  if (generation == "tcgen05") return kTcgen05;
  const auto at = std::find_if(std::begin(kKernels), std::end(kKernels),
                               [&](const DecodeKernel& k) { return k.name == name; });
  return at == std::end(kKernels) ? kKernels[0] : *at;
}

double decode_tile_keys(const DecodeKernel& k, const AttentionCall& call) {
  if (k.tile_m == 0) return 1;
  const std::int64_t dim = call.head_dim;
  if (k.name.starts_with("fa2")) return dim <= 64 ? 256 : dim <= 128 ? 128 : 64;
  if (k.name == "fa3_mma") return dim <= 128 ? 112 : 64;
  if (element_bytes(call.cache) < 2) return dim <= 192 ? 160 : 128;
  return dim <= 128 ? 128 : dim <= 192 ? 96 : 64;
}

DecodePlan decode_plan(const DecodeKernel& k, std::string_view engine, const AttentionCall& call,
                       const Machine& machine) {
  const double units = static_cast<double>(k.by_head ? call.heads : call.kv_heads);
  const double tile = decode_tile_keys(k, call);
  // Tiles of one sequence that are not all outside the window.
  const auto tiles = [&](const AttentionGroup& g) {
    const double seen = keys_seen(g, call.window);
    const bool cut = seen < static_cast<double>(g.context + g.seq);
    return ceil_div(seen, tile) + (cut && k.tile_m > 0 ? 1 : 0);
  };
  double sequences = 0, blocks = 0, longest = 0;
  for (const AttentionGroup& g : call.groups) {
    sequences += static_cast<double>(g.batch);
    blocks += static_cast<double>(g.batch) * tiles(g);
    longest = std::max(longest, tiles(g));
  }
  // TensorRT-LLM cuts all keys, and CTAs outside the window find nothing to do.
  const bool windowed = k.split != Split::cover_cores && k.split != Split::target_waves;
  double most = 1;  // splits of any sequence
  switch (k.split) {
    case Split::never:
      break;
    case Split::fill_wave:
      most = filling_splits(sequences * units, 2 * machine.cores, longest, true);
      break;
    case Split::share_blocks:
      most = longest <= 4 ? 1 : filling_splits(units, machine.cores, longest, false);
      if (engine == "vllm") most = std::min(most, kGraphSplits);
      break;
    case Split::cover_cores:
      most = ceil_div(machine.cores, sequences * units);
      break;
    case Split::target_waves:
      most = std::floor(k.splits * machine.cores / (sequences * units));
      break;
    case Split::fixed:
      most = k.splits;
      break;
  }
  const double share = std::max(1.0, std::ceil(1.1 * blocks * units / machine.cores));
  DecodePlan p;
  for (const AttentionGroup& g : call.groups) {
    const double seen = tiles(g);
    const double all = windowed ? seen : static_cast<double>(g.context + g.seq);
    double splits = std::min(most, std::floor(all * tile / k.least_keys));
    if (k.split == Split::share_blocks) splits = std::min(splits, ceil_div(all, share));
    splits = std::max(1.0, splits);
    p.units += static_cast<double>(g.batch) * units;
    p.ctas += static_cast<double>(g.batch) * units * splits;
    p.busy += static_cast<double>(g.batch) * units *
              std::min(splits, ceil_div(seen, ceil_div(all, splits)));
    p.keys += static_cast<double>(g.batch) * units * tile *
              (k.tile_m > 0 ? ceil_div(all, splits) * splits : seen);
    p.longest = std::max(p.longest, std::min(seen, ceil_div(all, splits)) * tile);
    p.splits = std::max(p.splits, splits);
  }
  return p;
}

std::string decode_kernel(std::string_view engine, std::string_view generation,
                          const AttentionCall& call) {
  const double group = static_cast<double>(call.heads) / static_cast<double>(call.kv_heads);
  const bool narrow = element_bytes(call.cache) < 2;
  if (generation == "tcgen05") return "xqa_async";
  if (engine == "trtllm") {
    if (group == 1 || (group > 32 && call.head_dim <= 256)) return "mmha";
    // Sums of a group's heads must fit into the registers of the warps that add them.
    const bool fits = group * static_cast<double>(call.head_dim) <= 2048;
    return narrow && generation == "wgmma" && fits ? "xqa_async" : "xqa";
  }
  if (engine == "pytorch") return "fa2_lone";
  const bool wgmma = generation == "wgmma";
  // Without the flash-attention library: AMD and Intel.
  if (!wgmma && generation != "mma") return "triton";
  if (engine == "sglang") {
    if (call.head_dim > 256 || (call.head_dim == 256 && call.window > 0)) {
      return "triton";
    }
    if (!wgmma) return narrow ? "fa2" : "fa3_mma";
  } else {
    if (!wgmma) return group == 1 ? "fa2_plain" : "fa2";
    if (call.head_dim > 256) return "fa4";
  }
  if (engine == "sglang" && call.head_dim == 192) return "fa3_narrow_values";
  if (!narrow) return "fa3";
  return call.head_dim > 128 ? "fa3_fp8_wide" : "fa3_fp8";
}

}  // namespace presil::kernels
