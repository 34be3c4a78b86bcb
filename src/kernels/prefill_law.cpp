#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "kernels/attention_law.h"

namespace presil::kernels {
namespace {

/// In the order of kConstants.
enum Index : std::size_t {
  kStart,
  kPrologue,
  kEdge,
  kTensor,
  kExp,
  kStep,
  kBeside,
  kTail,
  kAlone,
  kCombine,
  kWindow,
  kNarrow,
  kToken,
  kPack,
  kPasses,
  kShare,
  kOverlap
};

constexpr unsigned kAll = kEngine | kType | kGeneration | kKernel;
constexpr ConstantInfo kConstants[] = {
    {"start_us", 11.5, 1, 40, kEngine, "launches"},
    {"prologue_cycles", 2500, 100, 20000, kKernel | kGeneration, "of one CTA"},
    {"edge_bytes_per_cycle", 1000, 4, 1000, kNothing, "Q in and O out"},
    {"tensor_share", 0.6, 0.02, 1, kType | kKernel, "of the peak"},
    {"exp_work", 1.75, 0.3, 8, kNothing, "vector work per score in exps"},
    {"step_cycles", 0, 0, 2000, kNothing, "of one key tile beyond its work"},
    {"beside", 3.4, 1, 8, kNothing, "tensor beside exp"},
    {"tail", 0.5, 0, 1, kKernel, "of the longest CTA that no other fills"},
    {"alone", 1, 1, 3, kNothing, "of the longest CTA that no other fills"},
    {"combine_us", 8, 0, 10, kNothing, "of a split"},
    {"window_steps", 1, 0, 6, kEngine | kType, "more steps at the lower edge of a window"},
    {"narrow_us", 2, 0, 20, kEngine, "of copies when values are narrower than keys"},
    {"token_cycles", 100, 0, 3000, kEngine, "of one core for a token of the pre-pass"},
    {"pack_cycles", 30, 0, 1000, kNothing, "of a CTA for a position of a packed tile"},
    {"passes", 0.4, 0, 8, kEngine | kType, "over 2 QKV"},
    {"dram_share", 0.9, 0.3, 1, kNothing, ""},
    {"overlap", 1.2, 1, 8, kNothing, ""},
};

struct Kernel {
  double rows, granule, keys, key_dim, value_dim;
  bool packs, splits;
};

std::int64_t ceil_div(std::int64_t a, std::int64_t b) {
  return (a + b - 1) / b;
}

double bytes_of_element(Format f) {
  return static_cast<double>(bytes_of(f, 64).count()) / 64;
}

bool is_fp8(Format f) {
  return f == Format::fp8_e4m3 || f == Format::fp8_e5m2;
}

Format multiplied(const AttentionCall& call, const Machine& machine) {
  const Format wanted = is_fp8(call.cache) ? Format::fp8_e4m3 : call.multiply;
  if (machine.macs_per_cycle.contains(wanted)) return wanted;
  return Format::bf16;
}

Kernel kernel_of(const Situation& s, const AttentionCall& call) {
  const std::int64_t d = call.head_dim;
  const bool grouped = call.heads > call.kv_heads;
  const bool narrow = is_fp8(call.cache);
  const bool local = call.window > 0;
  const auto kd = static_cast<double>(d);
  const double vd = d == 192 ? 128. : kd;
  if (s.kernel == "fa3") {
    const double rows = d <= 64 ? 192 : 128;
    double keys = d <= 128 ? 128 : d <= 192 ? (local ? 96 : 112) : (local ? 64 : 80);
    if (narrow)
      keys = d <= 64    ? 160
             : d <= 128 ? (s.engine == "vllm" ? (local ? 128 : 160) : 224)
             : d <= 192 ? (s.engine == "vllm" && local ? 128 : 160)
                        : (local ? 64 : 128);
    return {rows, rows, keys, kd, vd, grouped, true};
  }
  if (s.kernel == "fa2") {
    bool one = call.groups.size() > 0;
    for (const AttentionGroup& g : call.groups) one = one && g.seq == 1;
    return {128,  128, d <= 64 ? 128.0 : 64.0, kd, vd, grouped && (one || s.engine == "sglang"),
            false};
  }
  if (s.kernel == "triton")
    return {d > 256 ? 32. : 128., d > 256 ? 32. : 128., 64, kd, kd, false, false};
  if (s.kernel == "fa4") return {128, 128, 128, kd, kd, false, false};
  if (s.generation == "mma") return {64, 64, 128, kd, kd, false, false};
  return {128,
          64,
          narrow    ? (d <= 128 ? 256. : 128.)
          : d <= 64 ? 256.
                    : 128.,
          narrow && d == 192 ? 256. : kd,
          narrow && d == 192 ? 256. : kd,
          false,
          false};
}

struct Grid {
  double ctas = 0, steps = 0, longest = 0;
};

Grid grid_of(const AttentionCall& call, const Kernel& k, double window_steps) {
  Grid grid;
  const std::int64_t per = k.packs ? std::max<std::int64_t>(1, call.heads / call.kv_heads) : 1;
  const double lanes = static_cast<double>(call.heads) / static_cast<double>(per);
  const auto m = static_cast<std::int64_t>(k.rows), n = static_cast<std::int64_t>(k.keys);
  for (const AttentionGroup& g : call.groups) {
    const std::int64_t tiles = ceil_div(g.seq * per, m);
    const std::int64_t looked = std::min<std::int64_t>(tiles, 64);
    double sum = 0, longest = 0;
    for (std::int64_t j = 0; j < looked; ++j) {
      const std::int64_t i = looked == tiles ? j : tiles - 1 - j * (tiles - 1) / (looked - 1);
      const std::int64_t first = i * m / per;
      const std::int64_t last = std::min(g.seq, ceil_div((i + 1) * m, per));
      const std::int64_t from =
          call.window > 0 ? std::max<std::int64_t>(0, g.context + first + 1 - call.window) : 0;
      const double steps = static_cast<double>(ceil_div(g.context + last, n) - from / n) +
                           (from > 0 ? window_steps : 0);
      const double active =
          std::ceil(std::min(k.rows, static_cast<double>(g.seq * per - i * m)) / k.granule) *
          k.granule / k.rows;
      sum += steps * active;
      longest = std::max(longest, steps * active);
    }
    const double ctas = static_cast<double>(g.batch) * lanes * static_cast<double>(tiles);
    grid.ctas += ctas;
    grid.steps += ctas * sum / static_cast<double>(looked);
    grid.longest = std::max(grid.longest, longest);
  }
  return grid;
}

struct Operands {
  double tokens = 0, q = 0, kv_new = 0, kv_old = 0;  // elements
};

Operands operands_of(const AttentionCall& call) {
  Operands o;
  const auto d = static_cast<double>(call.head_dim);
  for (const AttentionGroup& g : call.groups) {
    const double tokens = static_cast<double>(g.batch * g.seq);
    o.tokens += tokens;
    o.q += tokens * static_cast<double>(call.heads) * d;
    o.kv_new += 2 * tokens * static_cast<double>(call.kv_heads) * d;
    std::int64_t seen = g.context;
    if (call.window > 0) seen = std::min(seen, call.window);
    o.kv_old += 2 * static_cast<double>(g.batch * seen) * static_cast<double>(call.kv_heads) * d;
  }
  return o;
}

}  // namespace

LawInfo prefill_law() {
  return {"prefill", kConstants};
}

std::string prefill_kernel(std::string_view engine, std::string_view generation,
                           const AttentionCall& call) {
  if (engine == "trtllm") return "fmha";
  if (generation == "mma") return "fa2";
  if (engine == "vllm") return call.head_dim > 256 ? "fa4" : "fa3";
  if (engine == "sglang" && (call.head_dim > 256 || call.window == 1024)) return "triton";
  return "fa3";
}

Traffic prefill_traffic(const AttentionCall& call, const Machine& machine, Residency residency) {
  const Operands o = operands_of(call);
  const double b = 2, c = bytes_of_element(call.cache);
  Traffic t{o.q * b + o.kv_new * b + o.kv_old * c, o.q * b + o.kv_new * c};
  if (residency == Residency::cycling) {
    const double x = (t.read + t.written) / std::max(1.0, machine.l2_bytes);
    const double miss = 1 - 1 / (1 + x * x * x * x);
    t.read *= miss;
    t.written *= miss;
  }
  return t;
}

Terms prefill_terms(const AttentionCall& call, const Machine& machine, const Situation& situation,
                    Constants c, double dram_us) {
  const Kernel k = kernel_of(situation, call);
  const Grid grid = grid_of(call, k, c[kWindow]);
  const double clock = machine.clock_ghz * 1e3;  // cycles a microsecond
  const double macs = machine.macs_per_cycle.at(multiplied(call, machine));
  const double scores = k.rows * k.keys;
  const double tensor = scores * (k.key_dim + k.value_dim) / (macs * c[kTensor]);
  const double exps = scores * c[kExp] / machine.exp_per_cycle;
  const double step =
      norm(tensor, exps,
           situation.engine == "vllm" && is_fp8(call.cache) && k.key_dim > 192 ? 1 : c[kBeside]) +
      c[kStep];
  const double slots = machine.cores;
  const double positions = k.packs ? std::floor(k.rows * static_cast<double>(call.kv_heads) /
                                                static_cast<double>(call.heads))
                                   : 0;
  const double cta =
      c[kPrologue] + k.rows * (k.key_dim + k.value_dim) * 2 / c[kEdge] + c[kPack] * positions;
  double longest = (grid.longest * step + cta) * c[kAlone];
  double average = (grid.steps * step + grid.ctas * cta) / slots;
  double ctas = grid.ctas, combine = 0;
  if (k.splits && grid.ctas < 0.8 * slots && grid.longest > 4) {
    const double split = std::min(grid.longest, 2 * slots / grid.ctas);
    ctas *= split;
    longest = grid.longest / split * step + cta;
    average = (grid.steps * step + ctas * cta) / slots;
    combine = c[kCombine];
  }
  const double waves = ctas / slots;
  const double even = std::clamp(2 * average / (waves * longest) - 1, 0.0, 1.0);
  const double spare = even * (std::ceil(waves) - waves) + (waves > 1 ? (1 - even) * c[kTail] : 0);
  Terms t;
  t.before = c[kStart] + (k.value_dim < k.key_dim ? c[kNarrow] : 0) + combine;
  t.work = std::max(longest, average + spare * longest) / clock;
  t.overlap = c[kOverlap];
  t.dram_share = c[kShare];
  const Operands o = operands_of(call);
  const double pass = 2 * (o.q + o.kv_new) * 2;
  const double all = (o.q + o.kv_new) * 2 + o.q * 2 + o.kv_new * bytes_of_element(call.cache);
  t.after = c[kPasses] * std::max(pass / all * dram_us / c[kShare], pass / (machine.l2_gbs * 1e3));
  t.after += o.tokens / machine.cores * c[kToken] / clock;
  t.kernel = situation.kernel;
  return t;
}

}  // namespace presil::kernels
