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
  kStartUs,
  kPrologue,
  kHead,
  kLoopShare,
  kLoopBytes,
  kResident,
  kRounding,
  kOverlap,
  kDramShare,
  kL2Share,
  kCombineUs,
  kCombineSplitUs,
  kCopyUs,
};

constexpr unsigned kOwn = kEngine | kKernel;

constexpr ConstantInfo kConstants[] = {
    {"engine_us", 3, 0, 12, kEngine | kType, "around the kernel: metadata, casts of the query"},
    {"start_us", 4, 1, 7, kKernel, "launch until the first CTA runs"},
    {"prologue_kcycles", 4, 0.1, 20, kOwn, "thousand clocks of a CTA before and after its loop"},
    {"head_kcycles", 0.05, 0, 1, kOwn, "the same, for each query head of its group"},
    {"loop_share", 0.6, 0.05, 1, kOwn, "of the matrix engine, by tiles with their padding"},
    {"loop_bytes_per_cycle", 15, 1, 200, kOwn, "that one CTA loads"},
    {"resident", 2, 1, 8, kOwn, "CTAs of a core that hide each other's loads"},
    {"rounding", 0.7, 0, 1, kOwn, "of the last wave: 0 shared out evenly, 1 a whole one"},
    {"overlap", 2.5, 1, 8, kOwn, "exponent between the cores' time and DRAM's"},
    {"dram_share", 0.96, 0.5, 1, kOwn, "of a long sequential read"},
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
  target_waves,  // TensorRT-LLM: so many waves of CTAs, of so many keys at least
};

struct Kernel {
  std::string_view name;
  Split split = Split::never;
  double tile_m = 0;        // query rows of a tile, padded; 0: the loop waits for loads
  bool by_head = false;     // a CTA a query head, not a group of them
  bool own_format = false;  // multiplies in the cache's format
  double waves = 0;         // of target_waves
  double least_keys = 0;
};

// Tiles and splits: flash-attention 2 and 3 (csrc/flash_attn, hopper/heuristics.h, tile_size.h),
// TensorRT-LLM (kTargetWaveFactor 8, kMinHistoryTokensPerBlock 128); the rest by measured rows.
constexpr Kernel kKernels[] = {
    {.name = "fa2", .split = Split::fill_wave, .tile_m = 64},
    {.name = "fa2_plain", .split = Split::never, .tile_m = 64},
    {.name = "fa3_mma", .split = Split::share_blocks, .tile_m = 128},
    {.name = "fa3", .split = Split::share_blocks, .tile_m = 128},
    {.name = "fa3_fp8", .split = Split::share_blocks, .tile_m = 128, .own_format = true},
    {.name = "fa3_fp8_wide", .split = Split::share_blocks, .tile_m = 128, .own_format = true},
    {.name = "fa4", .split = Split::share_blocks, .tile_m = 128},
    {.name = "triton", .split = Split::target_waves, .waves = 4, .least_keys = 256},
    {.name = "mmha", .split = Split::target_waves, .by_head = true, .waves = 2, .least_keys = 256},
    {.name = "mmha_fp8",
     .split = Split::target_waves,
     .by_head = true,
     .waves = 2,
     .least_keys = 256},
    {.name = "xqa", .split = Split::target_waves, .waves = 4, .least_keys = 256},
    {.name = "xqa_async", .split = Split::target_waves, .waves = 8, .least_keys = 128},
};

const Kernel& kernel_named(std::string_view name) {
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

/// The CTAs of the sequences of one group.
struct Grid {
  double ctas = 0;
  double keys = 0;    // of the longest of them
  double splits = 1;  // of a sequence
};

/// Keys of one sequence that count, and of the call's longest.
double keys_of(const AttentionGroup& g, std::int64_t window) {
  const double all = static_cast<double>(g.context + g.seq);
  return window > 0 ? std::min(all, static_cast<double>(window)) : all;
}

struct Plan {
  std::vector<Grid> grids;  // by group
  double splits = 1;        // the most of any sequence
};

Plan plan(const Kernel& k, const AttentionCall& call, const Machine& machine) {
  const double head_dim = static_cast<double>(call.head_dim);
  const double units = static_cast<double>(k.by_head ? call.heads : call.kv_heads);
  const bool tiled = k.tile_m > 0;
  const double tile = tiled ? tile_keys(k, head_dim, element_bytes(call.cache)) : 1;
  double sequences = 0, blocks = 0, longest = 0;
  for (const AttentionGroup& g : call.groups) {
    const double n = static_cast<double>(g.batch);
    const double keys = static_cast<double>(g.context + g.seq);
    sequences += n;
    blocks += n * ceil_div(keys, tile);
    longest = std::max(longest, keys);
  }
  double most = 1;  // splits, of any sequence
  switch (k.split) {
    case Split::never:
      break;
    case Split::fill_wave:
      most = filling_splits(sequences * units, 2 * machine.cores, ceil_div(longest, tile), true);
      break;
    case Split::share_blocks:
      most = ceil_div(longest, tile) <= 4
                 ? 1
                 : filling_splits(units, machine.cores, ceil_div(longest, tile), false);
      break;
    case Split::target_waves:
      most = std::clamp(std::floor(k.waves * machine.cores / (sequences * units)), 1.0, 256.0);
      break;
  }
  const double share = std::max(1.0, std::ceil(1.1 * blocks * units / machine.cores));
  Plan p;
  for (const AttentionGroup& g : call.groups) {
    const double all = ceil_div(static_cast<double>(g.context + g.seq), tile);
    const double window = static_cast<double>(call.window);
    const double seen =
        call.window > 0 ? std::min(all, std::ceil(window / tile) + (tiled ? 1 : 0)) : all;
    double splits = most;
    if (k.split == Split::share_blocks) splits = std::min(most, ceil_div(all, share));
    if (k.split == Split::target_waves) splits = std::min(most, std::floor(seen / k.least_keys));
    splits = std::max(1.0, splits);
    const double of_split = ceil_div(tiled ? all : seen, splits);  // blocks
    const double used = ceil_div(seen, of_split);                  // splits that see any key
    p.grids.push_back({.ctas = static_cast<double>(g.batch) * units * used,
                       .keys = std::min(of_split, seen) * tile,
                       .splits = splits});
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

Moved moved(const AttentionCall& call) {
  constexpr double kActivation = 2;  // bytes of an element of queries and outputs
  Moved m;
  const double head = static_cast<double>(call.head_dim);
  for (const AttentionGroup& g : call.groups) {
    const double n = static_cast<double>(g.batch);
    m.cache += n * keys_of(g, call.window) * 2 * static_cast<double>(call.kv_heads) * head *
               element_bytes(call.cache);
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
    return narrow && generation == "wgmma" ? "xqa_async" : "xqa";
  }
  const bool wgmma = generation == "wgmma";
  if (engine == "sglang") {
    if (call.head_dim > 256 || (call.head_dim == 256 && call.window > 0)) return "triton";
    if (!wgmma) return "fa3_mma";
  } else {
    if (!wgmma) return group == 1 ? "fa2_plain" : "fa2";
    if (call.head_dim > 256) return "fa4";
  }
  if (!narrow) return "fa3";
  return call.head_dim > 128 ? "fa3_fp8_wide" : "fa3_fp8";
}

Traffic decode_traffic(const AttentionCall& call, const Machine& machine, Residency residency) {
  const Moved m = moved(call);
  const double all = m.cache + 2 * m.queries;
  double missing = 1;
  if (residency == Residency::cycling && machine.l2_bytes > 0) {
    // What fits is found again; a loop over a little more than fits finds next to nothing.
    missing = 1 - 1 / (1 + std::pow(all / machine.l2_bytes, 8));
  }
  return {.read = missing * (m.cache + m.queries), .written = missing * m.queries};
}

Terms decode_terms(const AttentionCall& call, const Machine& machine, const Situation& situation,
                   Constants c, double) {
  const Kernel& kernel = kernel_named(situation.kernel);
  const Plan p = plan(kernel, call, machine);
  const double head_dim = static_cast<double>(call.head_dim);
  const double group = static_cast<double>(call.heads) / static_cast<double>(call.kv_heads);
  const double kcycle_us = 1 / machine.clock_ghz;
  const double prologue = (c[kPrologue] + c[kHead] * (kernel.by_head ? 1 : group)) * kcycle_us;

  // Microseconds of one key in a CTA's loop, and how many CTAs of a core hide each other.
  double key_us = 0, resident = 1;
  if (kernel.tile_m > 0) {
    const double rows = ceil_div(group, kernel.tile_m) * kernel.tile_m;
    const Format format = kernel.own_format ? call.cache : call.multiply;
    key_us = 4 * rows * head_dim / (c[kLoopShare] * core_rate(machine, format));
  } else {
    key_us = 2 * head_dim * element_bytes(call.cache) / c[kLoopBytes] / 1e3 * kcycle_us;
    resident = c[kResident];
  }

  double ctas = 0, keys = 0, longest = 0;
  for (const Grid& g : p.grids) {
    ctas += g.ctas;
    keys += g.ctas * g.keys;
    longest = std::max(longest, g.keys);
  }
  // Whole waves of CTAs, or part of that: the last wave is not full.
  const double waves = ctas / machine.cores / resident;
  const double rounded = waves <= 1 ? 1 / waves : 1 + c[kRounding] * (std::ceil(waves) / waves - 1);
  const double loop =
      std::max(longest, keys / machine.cores / resident * (waves <= 1 ? 1 : rounded)) * key_us;
  const double prologues = std::max(0.0, ctas / machine.cores - 1) * prologue;

  const Moved m = moved(call);
  const double copies = kernel.by_head ? group : 1;
  const double l2_us =
      machine.l2_gbs > 0 ? (copies * m.cache + 2 * m.queries) / (c[kL2Share] * machine.l2_gbs * 1e3)
                         : 0;
  Terms t;
  t.before = c[kEngineUs] + c[kStartUs] + prologue;
  t.work = std::max(prologues + loop, l2_us);
  t.overlap = c[kOverlap];
  t.dram_share = c[kDramShare];
  if (p.splits > 1) t.after += c[kCombineUs] + c[kCombineSplitUs] * p.splits;
  double sequences = 0;
  for (const AttentionGroup& g : call.groups) sequences += static_cast<double>(g.batch);
  if (kernel.name == "fa2" && sequences > 1 && call.kv_heads > 1) t.after += c[kCopyUs];
  t.kernel = fmt::format("{} x{:.0f}", kernel.name, p.splits);
  return t;
}

}  // namespace presil::kernels
