// The prefill attention law: a grid of CTAs, each with a tile of query rows that walks over the
// tiles of keys it may see, on cores whose tensor and exp units work side by side; before it a pass
// that adds positions and writes the cache. shared/reference/latency_models.md, section 3, says
// what each term buys; tile sizes are those of the libraries' sources (recalled).

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "kernels/attention_law.h"

namespace presil::kernels {
namespace {

/// In the order of kConstants.
enum Index : std::size_t {
  kStart,
  kPrologue,
  kTensor,
  kSpilled,
  kFp8,
  kPaged,
  kExp,
  kFlops,
  kFeed,
  kBeside,
  kTail,
  kCombine,
  kWindow,
  kNarrow,
  kToken,
  kQueryPasses,
  kCachePasses,
  kShare,
  kOverlap
};

constexpr ConstantInfo kConstants[] = {
    {"start_us", 11.5, 1, 40, kEngine, "launches of the attention and of what comes before it"},
    {"prologue_cycles", 3500, 100, 20000, kGeneration | kKernel,
     "of a CTA of 128 query rows beside its key tiles: first loads, last stores"},
    {"tensor_share", 0.9, 0.75, 1, kKernel,
     "of the tensor peak that a key tile's two products reach once they are fed, as other products "
     "do"},
    {"spilled_share", 0.3, 0.02, 1, kKernel,
     "of the tensor peak when a query tile's results do not stay in registers"},
    {"fp8_share", 0.7, 0.1, 1, kKernel,
     "of tensor_share when fp8 is multiplied: V is transposed, scales are applied"},
    {"paged_share", 0.7, 0.1, 1, kNothing,
     "of tensor_share when fp8 keys come in pages too small for bulk copies"},
    {"exp_work", 1, 0.3, 8, kNothing,
     "vector work of a score, in exps: maximum, scaling, sum, rounding"},
    {"score_flops", 8, 0, 80, kNothing, "of the vector unit for a score, beside its exps"},
    {"feed_share", 0.5, 0, 1, kNothing,
     "of loading keys and values into registers that no product hides"},
    {"beside", 1.2, 1, 8, kNothing, "how far tensor and exp units overlap: a norm's power"},
    {"tail", 0.5, 0, 1, kKernel, "of the longest CTA that no other CTA fills up"},
    {"combine_us", 8, 0, 20, kNothing, "second kernel when the keys are split"},
    {"window_steps", 1, 0, 6, kEngine | kType, "more key tiles at the lower edge of a window"},
    {"narrow_us", 2, 0, 20, kEngine, "of copies when values are narrower than keys"},
    {"token_cycles", 120, 0, 9000, kEngine, "of one core for a new token's entry in the cache"},
    {"query_passes", 1.5, 0, 6, kNothing, "over Q where it is rotated or quantised in memory"},
    {"cache_passes", 0.4, 0, 6, kEngine, "over new K and V before the attention"},
    {"dram_share", 1, 0.5, 1, kNothing, "of the memory engine's bandwidth"},
    {"overlap", 1.25, 1, 8, kNothing, "of DRAM with work: a norm's power"},
};

/// A library's kernel as the law sees it.
struct Kernel {
  double rows = 128;      // of a query tile
  double granule = 128;   // rows that are computed or left out together
  double keys = 128;      // of a key tile
  double warp_rows = 16;  // that a warp multiplies with the keys it has loaded
  double key_dim = 0;     // with padding; 0: as the call says
  double value_dim = 0;
  bool spills = false;     // results of a query tile are too wide for the registers
  bool packs = false;      // query heads of one KV head stand in one tile
  bool splits = false;     // keys among CTAs when query tiles are few
  bool paged = false;      // fp8 keys come in small pages
  bool fp8 = false;        // multiplies fp8 when the cache holds it
  double passed_over = 0;  // cost of a key tile below the window, of one within
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

bool one_token_each(const AttentionCall& call) {
  return std::all_of(call.groups.begin(), call.groups.end(),
                     [](const AttentionGroup& g) { return g.seq == 1; });
}

/// FlashAttention 2 (Ampere's mma.sync): two CTAs a core where the local memory is small.
Kernel flash_2(const AttentionCall& call, const Machine& machine, std::string_view engine) {
  Kernel k;
  const bool small = machine.local_bytes > 0 && machine.local_bytes < 160 * 1024;
  k.rows = k.granule = small && call.head_dim > 64 ? 64 : 128;
  k.keys = call.head_dim <= 64 ? 128 : 64;
  k.warp_rows = k.rows / 4;
  k.packs = engine == "sglang" || one_token_each(call);
  return k;
}

/// FlashAttention 3 (Hopper): warp-specialised, persistent, longest tiles first.
Kernel flash_3(const AttentionCall& call, const Machine& machine, std::string_view engine) {
  Kernel k;
  const std::int64_t d = call.head_dim;
  const bool local = call.window > 0;
  const bool paged = engine == "vllm";  // pages too small for the TMA
  k.fp8 = is_fp8(call.cache) && machine.macs_per_cycle.contains(Format::fp8_e4m3);
  k.rows = k.granule = d <= 64 ? 192 : 128;
  k.keys = d <= 128 ? 128 : d <= 192 ? (local ? 96 : 112) : (local ? 64 : 80);
  if (k.fp8) {
    const double wide = local ? 128 : 160;
    k.keys = d <= 64 ? 160 : d <= 128 ? (paged ? wide : 224) : d <= 192 ? (paged ? wide : 160) : 0;
    if (d > 192) k.keys = local ? 64 : 128;
  }
  k.packs = k.splits = true;
  k.paged = paged && k.fp8;
  return k;
}

/// On tcgen05 the accumulators leave the registers: two query tiles of 128 rows a CTA.
Kernel tensor_memory(const AttentionCall& call, const Machine& machine) {
  Kernel k;
  k.fp8 = is_fp8(call.cache) && machine.macs_per_cycle.contains(Format::fp8_e4m3);
  k.rows = 256;
  return k;
}

/// TensorRT-LLM's own: each warp group has 64 query rows.
Kernel fmha(const AttentionCall& call, const Machine& machine) {
  Kernel k;
  const std::int64_t d = call.head_dim;
  k.fp8 = is_fp8(call.cache) && machine.macs_per_cycle.contains(Format::fp8_e4m3);
  k.rows = 128;
  k.granule = 64;
  if (machine.generation != "mma") k.keys = d <= 64 || (k.fp8 && d <= 128) ? 256 : 128;
  if (k.fp8 && d == 192) k.key_dim = k.value_dim = 256;
  return k;
}

Kernel triton(const AttentionCall& call) {
  Kernel k;
  k.rows = k.granule = call.head_dim > 256 ? 32 : 128;
  k.keys = 64;
  k.spills = true;
  k.passed_over = 0.25;  // masks are read, products left out
  return k;
}

Kernel kernel_of(const AttentionCall& call, const Machine& machine, const Situation& s) {
  Kernel k;
  const double d = static_cast<double>(call.head_dim);
  if (s.kernel == "fa2") k = flash_2(call, machine, s.engine);
  if (s.kernel == "fa3") k = flash_3(call, machine, s.engine);
  if (s.kernel == "fa3" && machine.generation == "tcgen05") k = tensor_memory(call, machine);
  if (s.kernel == "fmha") k = fmha(call, machine);
  if (s.kernel == "triton") k = triton(call);
  // Heads of 512, which Hopper's registers cannot hold beside the scores.
  if (s.kernel == "fa4") k.spills = true;
  if (k.key_dim == 0) {
    k.key_dim = d;
    // Keys of 192 come with values of 128 (MLA, MiMo); the flash kernels use that.
    k.value_dim = d == 192 && s.kernel.starts_with("fa") ? 128 : d;
  }
  k.packs = k.packs && call.heads > call.kv_heads;
  return k;
}

/// What the CTAs of one call do, in key tiles.
struct Grid {
  double ctas = 0;
  double steps = 0;    // of all CTAs
  double longest = 0;  // of one CTA
};

/// Tiles of a sequence that are counted one by one; of longer ones as many are sampled, evenly.
constexpr std::int64_t kCounted = 64;

Grid grid_of(const AttentionCall& call, const Kernel& k, double window_steps) {
  Grid grid;
  const std::int64_t group = std::max<std::int64_t>(1, call.heads / call.kv_heads);
  const std::int64_t packed = k.packs ? group : 1;
  const double lanes = static_cast<double>(call.heads) / static_cast<double>(packed);
  const auto rows = static_cast<std::int64_t>(k.rows), keys = static_cast<std::int64_t>(k.keys);
  for (const AttentionGroup& g : call.groups) {
    const std::int64_t tiles = ceil_div(g.seq * packed, rows);
    const std::int64_t counted = std::min(tiles, kCounted);
    double sum = 0;
    for (std::int64_t j = 0; j < counted; ++j) {
      const std::int64_t i =
          counted == tiles ? j : tiles - 1 - j * (tiles - 1) / (counted - 1);  // the last is one
      const std::int64_t first = i * rows / packed;  // position of its first row
      const std::int64_t end =
          call.both_ways ? g.seq : std::min(g.seq, ceil_div((i + 1) * rows, packed));
      const std::int64_t hidden =
          call.window > 0 ? std::max<std::int64_t>(0, g.context + first + 1 - call.window) : 0;
      const double below = static_cast<double>(hidden / keys);
      double steps = static_cast<double>(ceil_div(g.context + end, keys)) - below;
      steps += k.passed_over * below + (hidden > 0 ? window_steps : 0);
      const double filled = std::min(k.rows, static_cast<double>(g.seq * packed - i * rows));
      steps *= std::ceil(filled / k.granule) * k.granule / k.rows;
      sum += steps;
      grid.longest = std::max(grid.longest, steps);
    }
    const double ctas = static_cast<double>(g.batch) * lanes * static_cast<double>(tiles);
    grid.ctas += ctas;
    grid.steps += ctas * sum / static_cast<double>(counted);
  }
  return grid;
}

/// Elements of the operands, and tokens.
struct Operands {
  double tokens = 0, queries = 0, fresh = 0, cached = 0;  // fresh: new K and V
};

Operands operands_of(const AttentionCall& call) {
  Operands o;
  const auto d = static_cast<double>(call.head_dim);
  const double kv = 2 * static_cast<double>(call.kv_heads) * d;
  for (const AttentionGroup& g : call.groups) {
    const auto tokens = static_cast<double>(g.batch * g.seq);
    const std::int64_t seen = call.window > 0 ? std::min(g.context, call.window) : g.context;
    o.tokens += tokens;
    o.queries += tokens * static_cast<double>(call.heads) * d;
    o.fresh += tokens * kv;
    o.cached += static_cast<double>(g.batch * seen) * kv;
  }
  return o;
}

/// Multiply-adds a cycle and core; of the nearest format when the engines lack the asked one.
double macs_of(const Machine& machine, Format format) {
  for (const Format f : {format, Format::bf16, Format::fp16}) {
    const auto found = machine.macs_per_cycle.find(f);
    if (found != machine.macs_per_cycle.end()) return found->second;
  }
  return machine.vector_flops_per_cycle / 2;
}

/// Whether each warp loads operands from local memory into its registers; newer engines' products
/// read them there themselves.
bool loads_fragments(const Machine& machine) {
  return machine.generation != "wgmma" && machine.generation != "tcgen05";
}

/// Cycles of a core for one key tile of a query tile.
double step_cycles(const AttentionCall& call, const Kernel& k, const Machine& machine,
                   Constants c) {
  const double macs = macs_of(machine, k.fp8 ? Format::fp8_e4m3 : Format::bf16);
  const double share =
      c[k.spills ? kSpilled : kTensor] * (k.fp8 ? c[kFp8] : 1) * (k.paged ? c[kPaged] : 1);
  const double scores = k.rows * k.keys;
  const double products = scores * (k.key_dim + k.value_dim);
  // Every warp loads all keys and values for the rows that it has, between its products.
  const double loaded = products * (k.fp8 ? 1 : 2) / k.warp_rows;
  const double feed = loads_fragments(machine)
                          ? c[kFeed] * loaded / std::max(1.0, machine.local_bytes_per_cycle)
                          : 0;
  const double tensor = products / (macs * share) + feed;
  // On tcgen05 another warp group corrects O: a fifth less for the softmax (estimate).
  const double work = c[kExp] * (machine.generation == "tcgen05" ? 0.8 : 1);
  const double exps = scores * (work / std::max(1.0, machine.exp_per_cycle) +
                                c[kFlops] / std::max(1.0, machine.vector_flops_per_cycle));
  // Small pages take the registers that the widest heads need to overlap the two.
  const bool apart = k.paged && call.head_dim > 192;
  return norm(tensor, exps, apart ? 1 : c[kBeside]);
}

/// Cycles until the last CTA ends: CTAs go to cores in order, each to the first that is free.
double makespan(const Grid& grid, double step, double cta, double cores, double tail) {
  const double longest = grid.longest * step + cta;
  const double average = (grid.steps * step + grid.ctas * cta) / cores;
  const double waves = grid.ctas / cores;
  // Equal CTAs end in whole waves; causal ones, half as long on average, fill each other's gaps.
  const double even = std::clamp(2 * average / (waves * longest) - 1, 0.0, 1.0);
  const double idle = even * (std::ceil(waves) - waves) + (waves > 1 ? (1 - even) * tail : 0);
  return std::max(longest, average + idle * longest);
}

/// Microseconds of what comes before: positions, quantisation, the write of the cache.
double before_us(const AttentionCall& call, const Machine& machine, const Situation& situation,
                 Constants c, double dram_us) {
  const Operands o = operands_of(call);
  const double given = situation.engine == "trtllm" ? 2 : bytes_of_element(call.multiply);
  const double kept = bytes_of_element(call.cache);
  const double used = is_fp8(call.cache) ? 1 : 2;
  const bool rewritten =
      situation.engine == "trtllm" || (is_fp8(call.cache) && !is_fp8(call.multiply));
  const double pass = c[kCachePasses] * o.fresh * (given + kept) +
                      (rewritten ? c[kQueryPasses] : 0) * o.queries * (given + used);
  const Traffic cold = prefill_traffic(call, machine, Residency::streaming);
  const double by_dram = pass / (cold.read + cold.written) * dram_us / c[kShare];
  const double by_cache = machine.l2_gbs > 0 ? pass / (machine.l2_gbs * 1e3) : 0;
  // vLLM's kernel gives a token a CTA of as many threads as K has elements, 512 at most.
  const double width = static_cast<double>(call.kv_heads * call.head_dim) / 512;
  const double threads = situation.engine == "vllm" ? std::min(1.0, width) : 1;
  return std::max(by_dram, by_cache) +
         o.tokens / machine.cores * c[kToken] * threads / (machine.clock_ghz * 1e3);
}

}  // namespace

LawInfo prefill_law() {
  return {"prefill", kConstants};
}

std::string prefill_kernel(std::string_view engine, std::string_view generation,
                           const AttentionCall& call) {
  if (generation == "tcgen05") return "fa3";
  if (engine == "trtllm") return "fmha";
  if (generation != "wgmma") return "fa2";
  const bool wide = call.head_dim > 256;
  if (engine == "vllm" && wide) return "fa4";
  // SGLang takes Triton for what FlashAttention 3 lacks, and for Gemma's models.
  if (engine == "sglang" && (wide || (call.head_dim == 256 && call.window > 0))) return "triton";
  return "fa3";
}

Traffic prefill_traffic(const AttentionCall& call, const Machine& machine, Residency residency) {
  const Operands o = operands_of(call);
  const double given = bytes_of_element(call.multiply), kept = bytes_of_element(call.cache);
  Traffic t{(o.queries + o.fresh) * given + o.cached * kept, o.queries * 2 + o.fresh * kept};
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
  const Kernel k = kernel_of(call, machine, situation);
  Grid grid = grid_of(call, k, c[kWindow]);
  const double step = step_cycles(call, k, machine, c);
  const double cta = c[kPrologue] * k.rows / 128;
  Terms t;
  t.before = c[kStart] + (k.value_dim < k.key_dim ? c[kNarrow] : 0);
  if (k.splits && grid.ctas < 0.8 * machine.cores && grid.longest > 4) {
    const double split = std::min(grid.longest, 2 * machine.cores / grid.ctas);
    grid.ctas *= split;
    grid.longest /= split;
    t.before += c[kCombine];
  }
  t.work = makespan(grid, step, cta, machine.cores, c[kTail]) / (machine.clock_ghz * 1e3);
  t.overlap = c[kOverlap];
  t.dram_share = c[kShare];
  t.after = before_us(call, machine, situation, c, dram_us);
  t.kernel = situation.kernel;
  return t;
}

}  // namespace presil::kernels
