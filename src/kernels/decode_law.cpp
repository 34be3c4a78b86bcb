#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include <fmt/format.h>

#include "kernels/attention_law.h"

namespace presil::kernels {
namespace {

// What one kernel's constants mean; decode_terms says how they go together.
enum Constant {
  kEngineUs,
  kPrologue,
  kUnit,
  kHead,
  kLoopShare,
  kLoopBytes,
  kOverlap,
  kDramShare,
  kL2Share,
  kCombineUs,
  kCombineSplitUs,
  kCopyUs,
};

// Of the cache that keeps data: a loop over lines that one core each reads fits a little more than
// data that all cores share.
constexpr double kReach = 1.25;

constexpr unsigned kOwn = kEngine | kKernel;

constexpr ConstantInfo kConstants[] = {
    {"engine_us", 3, 0, 12, kEngine | kType, "around the kernel: metadata, casts of the query"},
    {"prologue_kcycles", 4, 0.1, 20, kOwn, "thousand clocks of a CTA before and after its loop"},
    {"unit_kcycles", 1, 0, 20, kOwn, "of a sequence and cache head, however many its splits"},
    {"head_kcycles", 0.05, 0, 1, kOwn, "the same, for each query head of the group"},
    {"loop_share", 0.6, 0.05, 1, kOwn, "of the matrix engine, by tiles with their padding"},
    {"loop_bytes_per_cycle", 15, 1, 200, kOwn, "that one CTA loads"},
    {"overlap", 2.0, 1, 8, kNothing, "exponent between the cores' time and DRAM's"},
    {"dram_share", 0.98, 0.5, 1, kNothing, "of a long sequential read"},
    {"l2_share", 0.8, 0.2, 2, kNothing, "of the data sheet's rate of the last-level cache"},
    {"combine_us", 2, 0, 8, kOwn, "adding up splits: a second launch"},
    {"combine_split_us", 0.05, 0, 0.5, kOwn, "the same, for each split"},
    {"copy_us", 5, 0, 9, kOwn, "turning grouped heads of several sequences around"},
};

/// How a kernel cuts one sequence's keys over CTAs.
enum class Split {
  never,
  fill_wave,     // FlashAttention 2: the fewest splits that fill whole waves to 85 %
  share_blocks,  // FlashAttention 3: no CTA has much more than a core's share of all blocks
  cover_cores,   // TensorRT-LLM's MMHA: as few as give every core a CTA
  target_waves,  // TensorRT-LLM's XQA: so many waves of CTAs, whatever the window
  fixed,         // Triton: always as many
};

struct Kernel {
  std::string_view name;
  Split split = Split::never;
  double tile_m = 0;        // query rows of a tile, padded; 0: the loop waits for loads
  double softmax = 0;       // passes of the exponential unit over a tile that no product hides
  bool by_head = false;     // a CTA a query head, not a group of them
  bool own_format = false;  // multiplies in the cache's format
  bool serial = false;      // prologues come one after another, on however many cores
  double splits = 0;        // of fixed; waves of target_waves
  double least_keys = 1;    // of a split
  double least_dims = 0;    // head_dim is padded to a power of two, this at least; 0: not padded
  double resident = 1;      // CTAs of a core that hide each other's loads
  double ahead = 1;         // bytes on their way to a core, over the measured kernel's
  double value_share = 1;   // values' width over keys'
};

// Tiles and splits: flash-attention 2 and 3 (csrc/flash_attn, hopper/heuristics.h, tile_size.h),
// TensorRT-LLM (kTargetWaveFactor 8, kMinHistoryTokensPerBlock 128); the rest by measured rows.
constexpr Kernel kKernels[] = {
    {.name = "fa2", .split = Split::fill_wave, .tile_m = 64, .softmax = 1.5},
    {.name = "fa2_plain", .split = Split::never, .tile_m = 64, .softmax = 1.5},
    {.name = "fa3_mma", .split = Split::share_blocks, .tile_m = 128, .softmax = 1.5},
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
    {.name = "triton_fp8", .split = Split::fixed, .splits = 8, .least_keys = 32, .resident = 2},
    {.name = "mmha",
     .split = Split::cover_cores,
     .by_head = true,
     .least_keys = 256,
     .least_dims = 64},
    {.name = "mmha_fp8",
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
constexpr Kernel kTcgen05 = {.name = "xqa_async",
                             .split = Split::cover_cores,
                             .least_keys = 128,
                             .least_dims = 64,
                             .ahead = 2};

const Kernel& kernel_named(std::string_view name, std::string_view generation) {
  if (generation == "tcgen05") return kTcgen05;
  const auto at = std::find_if(std::begin(kKernels), std::end(kKernels),
                               [&](const Kernel& k) { return k.name == name; });
  return at == std::end(kKernels) ? kKernels[0] : *at;
}

double element_bytes(Format format) {
  const FormatInfo& f = info(format);
  return static_cast<double>(bytes_of(format, 128 * f.block_elements).count()) /
         (128.0 * f.block_elements);
}

double ceil_div(double a, double b) {
  return std::ceil(a / b);
}

/// Keys of a tile, as the library chooses them for its scratchpad.
double tile_keys(const Kernel& k, double head_dim, double bytes) {
  if (k.name == "fa2" || k.name == "fa2_plain") {
    return head_dim <= 64 ? 256 : head_dim <= 128 ? 128 : 64;
  }
  if (k.name == "fa3_mma") return head_dim <= 128 ? 112 : 64;
  if (bytes < 2) return head_dim <= 192 ? 160 : 128;
  return head_dim <= 128 ? 128 : head_dim <= 192 ? 96 : 64;
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

/// Keys of one sequence that count, and of the call's longest.
double keys_of(const AttentionGroup& g, std::int64_t window) {
  const double all = static_cast<double>(g.context + g.seq);
  return window > 0 ? std::min(all, static_cast<double>(window)) : all;
}

struct Plan {
  double ctas = 0;
  double keys = 0;     // of all CTAs, whole tiles
  double longest = 0;  // keys of the longest CTA
  double splits = 1;   // the most of any sequence
  double units = 0;    // sequences by heads
};

Plan plan(const Kernel& k, const AttentionCall& call, const Machine& machine) {
  const double head_dim = static_cast<double>(call.head_dim);
  const double units = static_cast<double>(k.by_head ? call.heads : call.kv_heads);
  const double tile = k.tile_m > 0 ? tile_keys(k, head_dim, element_bytes(call.cache)) : 1;
  // Tiles of one sequence that are not all outside the window.
  const auto tiles = [&](const AttentionGroup& g) {
    const double seen = keys_of(g, call.window);
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
  Plan p;
  for (const AttentionGroup& g : call.groups) {
    const double seen = tiles(g);
    const double all = windowed ? seen : static_cast<double>(g.context + g.seq);
    double splits = std::min(most, std::floor(all * tile / k.least_keys));
    if (k.split == Split::share_blocks) splits = std::min(splits, ceil_div(all, share));
    splits = std::max(1.0, splits);
    p.units += static_cast<double>(g.batch) * units;
    p.ctas += static_cast<double>(g.batch) * units * splits;
    p.keys += static_cast<double>(g.batch) * units * tile *
              (k.tile_m > 0 ? ceil_div(all, splits) * splits : seen);
    p.longest = std::max(p.longest, std::min(seen, ceil_div(all, splits)) * tile);
    p.splits = std::max(p.splits, splits);
  }
  return p;
}

/// Floating-point operations a microsecond of one core's matrix engine, or of its vectors.
double core_rate(const Machine& machine, Format format) {
  const auto macs = machine.macs_per_cycle.find(format);
  const double rate =
      macs == machine.macs_per_cycle.end() ? machine.vector_flops_per_cycle : 2 * macs->second;
  return rate * machine.clock_ghz * 1e3;
}

struct Moved {
  double cache = 0;    // keys and values
  double queries = 0;  // and as much output
};

Moved moved(const AttentionCall& call, const Kernel& kernel) {
  constexpr double kActivation = 2;  // bytes of an element of queries and outputs
  const double head = static_cast<double>(call.head_dim);
  const double cache_bytes = element_bytes(call.cache);
  // Tiles at the window's edge are read whole.
  const double edge = kernel.tile_m > 0 ? tile_keys(kernel, head, cache_bytes) : 0;
  Moved m;
  for (const AttentionGroup& g : call.groups) {
    const double n = static_cast<double>(g.batch);
    const double all = static_cast<double>(g.context + g.seq);
    const double seen = std::min(all, keys_of(g, call.window) + edge);
    m.cache += n * seen * static_cast<double>(call.kv_heads) * head * cache_bytes *
               (1 + kernel.value_share);
    m.queries +=
        n * static_cast<double>(g.seq) * static_cast<double>(call.heads) * head * kActivation;
  }
  return m;
}

}  // namespace

LawInfo decode_law() {
  return {"decode", kConstants};
}

std::string decode_kernel(std::string_view engine, std::string_view generation,
                          const AttentionCall& call) {
  const double group = static_cast<double>(call.heads) / static_cast<double>(call.kv_heads);
  const bool narrow = element_bytes(call.cache) < 2;
  if (generation == "tcgen05") return "xqa_async";
  if (engine == "trtllm") {
    if (group == 1 || group > 32) return narrow ? "mmha_fp8" : "mmha";
    // Sums of a group's heads must fit into the registers of the warps that add them.
    const bool fits = group * static_cast<double>(call.head_dim) <= 2048;
    return narrow && generation == "wgmma" && fits ? "xqa_async" : "xqa";
  }
  const bool wgmma = generation == "wgmma";
  // Without the flash-attention library: AMD and Intel.
  if (!wgmma && generation != "mma") return narrow ? "triton_fp8" : "triton";
  if (engine == "sglang") {
    if (call.head_dim > 256 || (call.head_dim == 256 && call.window > 0)) {
      return narrow ? "triton_fp8" : "triton";
    }
    if (!wgmma) return narrow ? "fa2" : "fa3_mma";
  } else {
    if (engine == "pytorch" || !wgmma) return group == 1 ? "fa2_plain" : "fa2";
    if (call.head_dim > 256) return "fa4";
  }
  if (engine == "sglang" && call.head_dim == 192) return "fa3_narrow_values";
  if (!narrow) return "fa3";
  return call.head_dim > 128 ? "fa3_fp8_wide" : "fa3_fp8";
}

Traffic decode_traffic(const AttentionCall& call, const Machine& machine, Residency residency,
                       std::string_view kernel) {
  const Kernel& k = kernel_named(kernel, machine.generation);
  const Moved m = moved(call, k);
  double missing = 1;
  if (residency == Residency::cycling && machine.l2_bytes > 0) {
    missing = 1 - 1 / (1 + std::pow((m.cache + 2 * m.queries) / (kReach * machine.l2_bytes), 8));
  }
  return {.read = missing * (m.cache + m.queries), .written = missing * m.queries};
}

Terms decode_terms(const AttentionCall& call, const Machine& machine, const Situation& situation,
                   Constants c, double dram_us) {
  const Kernel& kernel = kernel_named(situation.kernel, machine.generation);
  const Plan p = plan(kernel, call, machine);
  const double head_dim = static_cast<double>(call.head_dim);
  double dims = head_dim;
  if (kernel.least_dims > 0) {
    dims = std::max(kernel.least_dims, std::exp2(std::ceil(std::log2(head_dim))));
  }
  const double group = static_cast<double>(call.heads) / static_cast<double>(call.kv_heads);
  const double kcycle_us = 1 / machine.clock_ghz;
  // A quarter of a padded kernel's prologue is loading its tiles, which are as wide as its heads.
  const double wide = kernel.least_dims > 0 && !kernel.by_head ? 0.75 + 0.25 * dims / 128 : 1;
  const double prologue =
      wide * (c[kPrologue] + c[kHead] * (kernel.by_head ? 1 : group)) * kcycle_us;
  const double unit = wide * c[kUnit] * kcycle_us;

  double sequences = 0;
  for (const AttentionGroup& g : call.groups) sequences += static_cast<double>(g.batch);
  const bool serial = kernel.serial && sequences <= 992;

  const Moved m = moved(call, kernel);

  // Microseconds of one key in a CTA's loop, and how many CTAs of a core hide each other.
  double key_us = 0, resident = 1;
  if (kernel.tile_m > 0) {
    // FlashAttention 2 reads no cache of 8 bits: FlashInfer's tiles of 16 rows stand in for it.
    const bool narrow = element_bytes(call.cache) < 2 && !kernel.own_format;
    const double tile_m = narrow ? 16 : kernel.tile_m;
    const double rows = ceil_div(group, tile_m) * tile_m;
    const Format format = kernel.own_format ? call.cache : call.multiply;
    key_us = 4 * rows * head_dim / (c[kLoopShare] * core_rate(machine, format)) +
             kernel.softmax * rows / machine.exp_per_cycle / 1e3 * kcycle_us;
  } else {
    key_us =
        2 * dims * element_bytes(call.cache) / (kernel.ahead * c[kLoopBytes]) / 1e3 * kcycle_us;
    resident = kernel.resident;
  }

  const double waves = p.ctas / machine.cores / resident;
  const double uneven = waves <= 1 ? 1 : std::ceil(waves) / waves;
  const double loop = std::max(p.longest, uneven * p.keys / machine.cores / resident) * key_us;
  const double prologues = std::max(0.0, p.ctas / machine.cores - 1) * prologue +
                           std::max(0.0, p.units / (serial ? 1 : machine.cores) - 1) * unit;

  // What DRAM does not deliver comes from the last-level cache.
  const double asked = (kernel.by_head ? group : 1) * m.cache + 2 * m.queries;
  const double found = std::max(0.0, asked - dram_us * machine.dram_stream_gbs * 1e3);
  const double l2_us = machine.l2_gbs > 0 ? found / (c[kL2Share] * machine.l2_gbs * 1e3) : 0;
  Terms t;
  t.before = c[kEngineUs] + prologue + unit;
  t.work = std::max(prologues + loop, l2_us);
  t.overlap = c[kOverlap];
  t.dram_share = c[kDramShare];
  if (p.splits > 1) t.after += c[kCombineUs] + c[kCombineSplitUs] * p.splits;
  if (kernel.name == "fa2" && sequences > 1 && call.kv_heads > 1) t.after += c[kCopyUs];
  t.kernel = fmt::format("{} x{:.0f}", kernel.name, p.splits);
  return t;
}

}  // namespace presil::kernels
