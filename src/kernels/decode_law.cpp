#include <algorithm>
#include <cmath>
#include <string>

#include <fmt/format.h>

#include "kernels/attention_law.h"
#include "kernels/decode_plan.h"

namespace presil::kernels {
namespace {

// What one kernel's constants mean; decode_terms says how they go together.
enum Constant {
  kEngineUs,
  kPrologue,
  kUnit,
  kHead,
  kLoopShare,
  kLoopElements,
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
    {"engine_us", 9.5, 0, 12, kEngine | kType, "around the kernel: metadata, casts of the query"},
    {"prologue_kcycles", 1, 0.1, 20, kOwn, "thousand clocks of a CTA before and after its loop"},
    {"unit_kcycles", 2.5, 0, 20, kOwn, "of a sequence and cache head, however many its splits"},
    {"head_kcycles", 0.1, 0, 1, kOwn, "of a CTA, for each query head it serves"},
    {"loop_share", 0.64, 0.05, 1, kOwn, "of the matrix engine, by tiles with their padding"},
    {"loop_elements_per_cycle", 14, 0.5, 100, kOwn, "of the cache, that one CTA takes in"},
    {"overlap", 2.2, 1, 8, kNothing, "exponent between the cores' time and DRAM's"},
    {"dram_share", 1, 0.5, 1, kNothing, "of a long sequential read"},
    {"l2_share", 0.9, 0.2, 1, kNothing, "of the data sheet's rate of the last-level cache"},
    {"combine_us", 3.2, 0, 8, kOwn, "adding up splits: a second launch"},
    {"combine_split_us", 0.01, 0, 0.5, kOwn, "the same, for each split"},
    {"copy_us", 5, 0, 9, kOwn, "turning grouped heads of several sequences around"},
};

/// Floating-point operations a microsecond of one core's matrix engine, or of its vectors where
/// that lacks the format.
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

Moved moved(const AttentionCall& call, const DecodeKernel& kernel) {
  constexpr double kActivation = 2;  // bytes of an element of queries and outputs
  const double head = static_cast<double>(call.head_dim);
  const double cache_bytes = element_bytes(call.cache);
  // Tiles at the window's edge are read whole.
  const double edge = kernel.tile_m > 0 ? decode_tile_keys(kernel, call) : 0;
  Moved m;
  for (const AttentionGroup& g : call.groups) {
    const double n = static_cast<double>(g.batch);
    const double all = static_cast<double>(g.context + g.seq);
    const double seen = std::min(all, keys_seen(g, call.window) + edge);
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

Traffic decode_traffic(const AttentionCall& call, const Machine& machine, Residency residency,
                       std::string_view kernel) {
  const DecodeKernel& k = decode_kernel_named(kernel, machine.generation);
  const Moved m = moved(call, k);
  double missing = 1;
  if (residency == Residency::cycling && machine.l2_bytes > 0) {
    // A loop over a little more than fits finds next to nothing.
    missing = 1 - 1 / (1 + std::pow((m.cache + 2 * m.queries) / (kReach * machine.l2_bytes), 8));
  }
  return {.read = missing * (m.cache + m.queries), .written = missing * m.queries};
}

Terms decode_terms(const AttentionCall& call, const Machine& machine, const Situation& situation,
                   Constants c, double dram_us) {
  const DecodeKernel& kernel = decode_kernel_named(situation.kernel, machine.generation);
  const DecodePlan p = decode_plan(kernel, situation.engine, call, machine);
  const double head_dim = static_cast<double>(call.head_dim);
  double dims = head_dim;
  if (kernel.least_dims > 0) {
    dims = std::max(kernel.least_dims, std::exp2(std::ceil(std::log2(head_dim))));
  }
  const double group = static_cast<double>(call.heads) / static_cast<double>(call.kv_heads);
  const double kcycle_us = 1 / machine.clock_ghz;
  // A quarter of a padded kernel's prologue is loading its tiles, which are as wide as its heads.
  const double wide = kernel.least_dims > 0 && !kernel.by_head ? 0.75 + 0.25 * dims / 128 : 1;
  const double heads_us = c[kHead] * (kernel.by_head ? 1 : group) * dims / 128 * kcycle_us;
  const double prologue = wide * c[kPrologue] * kcycle_us + heads_us;
  const double unit = wide * c[kUnit] * kcycle_us;

  double sequences = 0, pairs = 0;  // pairs of a new token and a key it sees
  for (const AttentionGroup& g : call.groups) {
    sequences += static_cast<double>(g.batch);
    pairs += static_cast<double>(g.batch) * keys_seen(g, call.window);
  }
  const bool serial = kernel.serial && sequences <= 992;

  const bool own = kernel.own_format && machine.macs_per_cycle.contains(call.cache);
  const Format format = own ? call.cache : call.multiply;

  // Microseconds of one key in a CTA's loop, and how many CTAs of a core hide each other.
  double key_us = 0, resident = 1;
  if (kernel.tile_m > 0) {
    // FlashAttention 2 reads no cache of 8 bits: FlashInfer's tiles of 16 rows stand in for it.
    const bool narrow = element_bytes(call.cache) < 2 && !kernel.own_format;
    const double tile_m = narrow ? 16 : kernel.tile_m;
    const double rows = std::ceil(group / tile_m) * tile_m;
    const double half = kernel.by_warps && machine.generation == "wgmma" ? 0.5 : 1;
    key_us = 4 * rows * head_dim / (half * c[kLoopShare] * core_rate(machine, format)) +
             kernel.softmax * rows / machine.exp_per_cycle / 1e3 * kcycle_us +
             kernel.wait_us / decode_tile_keys(kernel, call);
  } else {
    key_us = 2 * dims / (kernel.ahead * c[kLoopElements]) / 1e3 * kcycle_us;
    resident = kernel.resident;
  }

  // The last wave of CTAs is not full, and takes as long.
  const double waves = p.ctas / machine.cores / resident;
  const double uneven = waves <= 1 ? 1 : std::ceil(waves) / waves;
  const double loop = std::max(p.longest, uneven * p.keys / machine.cores / resident) * key_us;
  // CTAs outside the window find nothing to do for their heads.
  const double prologues = std::max(0.0, p.ctas / machine.cores - 1) * (prologue - heads_us) +
                           std::max(0.0, p.busy / machine.cores - 1) * heads_us +
                           std::max(0.0, p.units / (serial ? 1 : machine.cores) - 1) * unit;

  const Moved m = moved(call, kernel);
  // What DRAM does not deliver comes from the last-level cache.
  const double asked = (kernel.by_head ? group : 1) * m.cache + 2 * m.queries;
  const double found = std::max(0.0, asked - dram_us * machine.dram_stream_gbs * 1e3);
  const double l2_us = machine.l2_gbs > 0 ? found / (c[kL2Share] * machine.l2_gbs * 1e3) : 0;
  // Not even a perfect kernel multiplies faster.
  const double useful_us = 4 * static_cast<double>(call.heads) * head_dim * pairs /
                           (machine.cores * core_rate(machine, format));

  Terms t;
  t.before = c[kEngineUs] + prologue + unit;
  t.work = std::max({prologues + loop, l2_us, useful_us});
  t.overlap = c[kOverlap];
  t.dram_share = c[kDramShare];
  if (p.splits > 1) t.after += c[kCombineUs] + c[kCombineSplitUs] * p.splits;
  if (kernel.name == "fa2" && sequences > 1 && call.kv_heads > 1) t.after += c[kCopyUs];
  t.kernel = fmt::format("{} x{:.0f}", kernel.name, p.splits);
  return t;
}

}  // namespace presil::kernels
