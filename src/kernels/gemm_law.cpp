#include "kernels/gemm_law.h"

#include <algorithm>
#include <array>
#include <limits>
#include <vector>

#include <fmt/format.h>

#include "kernels/gemm_tiles.h"

namespace presil::kernels {
namespace {

// In the order of Numbers.
constexpr ConstantInfo kConstants[] = {
    {"start_us", 3, 0.5, 100, kEngine | kType | kKernel,
     "launch, first bytes and last bytes of the kernels, as the engine's rows were timed"},
    {"efficiency", 0.95, 0.5, 1, kNothing,
     "of the matrix engines' clocked peak while operands are there"},
    {"overlap", 2, 1, 8, kGeneration, "of a core's work with DRAM, as the power of a norm"},
    {"prologue_cycles", 600, 1, 5000, kGeneration, "of a wave: nothing is multiplied yet"},
    {"epilogue_bytes_per_cycle", 20, 4, 200, kGeneration, "a core's results on their way out"},
    {"dram_share", 0.95, 0.3, 0.98, kKernel, "of the memory engine's bandwidth"},
    {"core_gbs", 60, 40, 80, kNothing, "that one core can draw"},
    {"split_us", 2, 0.1, 10, kNothing, "the second step of a product split along k"},
    {"energy", 1.1, 0.8, 4, kEngine | kType,
     "of the matrix engines and what feeds them, to the chip file's: data, kernel, voltage"},
    {"regret", 0.06, 0, 1, kGeneration,
     "how far from the best tile towards 128 x 128 a library's choice lies"},
    {"quantise_row_us", 0.05, 0.001, 2, kEngine | kType, "a row of activations on one core"},
    {"quantise_cache_bytes_per_cycle", 5, 0.3, 60, kEngine | kType,
     "a core's rate through the cache, in three bytes an element"},
    {"quantise_dram_share", 0.4, 0.05, 1, kEngine | kType,
     "of the DRAM's bandwidth, in three bytes an element"},
    {"scale_ops", 1, 0.05, 6, kKernel,
     "vector operations on each partial sum of a scaled block that no product hides"},
    {"uneven_scales", 1, 0.01, 4, kNothing,
     "more of them where a tile's width does not divide the block of 128"},
    {"tile_cycles", 1000, 100, 10000, kKernel,
     "of a tile's main loop at least: from its first loads to its results"},
    {"step_cycles", 2, 0.05, 8, kKernel, "of an element of k at least: a stage's latency"},
    {"stall_cycles", 40, 8, 80, kNothing,
     "of an element of k where one wave of large tiles stalls"},
    {"outside_l2_share", 1, 0.1, 10, kKernel,
     "of the L2's rate: rows outside the product that bulk copies ask for all the same"},
    {"host_floor_us", 1, 0.5, 300, kEngine | kType | kKernel,
     "a host that launches no faster; nothing of the chip's"},
};

/// The constants by name.
struct Numbers {
  explicit Numbers(Constants c)
      : start_us(c[0]),
        efficiency(c[1]),
        overlap(c[2]),
        prologue_cycles(c[3]),
        epilogue(c[4]),
        dram_share(c[5]),
        core_gbs(c[6]),
        split_us(c[7]),
        energy(c[8]),
        regret(c[9]),
        quantise_row_us(c[10]),
        quantise_cache(c[11]),
        quantise_dram_share(c[12]),
        scale_ops(c[13]),
        uneven_scales(c[14]),
        tile_cycles(c[15]),
        step_cycles(c[16]),
        stall_cycles(c[17]),
        outside_l2_share(c[18]),
        host_floor_us(c[19]) {}
  double start_us, efficiency, overlap, prologue_cycles, epilogue, dram_share, core_gbs;
  double split_us, energy, regret, quantise_row_us, quantise_cache, quantise_dram_share;
  double scale_ops, uneven_scales, tile_cycles, step_cycles, stall_cycles, outside_l2_share,
      host_floor_us;
};

constexpr double kResultBytes = 2;   // bf16 out
constexpr double kPartialBytes = 4;  // fp32 sums of a split
constexpr double kCopies = 5;        // of the weights that the measuring loop cycles through
constexpr double kLeastSplitOfK = 256;
constexpr std::int64_t kScaledBlock = 128;
constexpr double kColumnsThatFillL2 = 20;  // with requests for rows outside the product (fitted)
// A core's share of the shared cache when all ask, on every NVIDIA part so far (recalled), and what
// a kernel with multicast takes when others idle (fitted on few long tiles).
constexpr double kFeedBytesPerCycle = 64;
constexpr double kPortBytesPerCycle = 100;
// The clock gives way smoothly as a product nears the power limit (estimate).
constexpr double kPowerSharpness = 8;

double as_double(std::int64_t value) {
  return static_cast<double>(value);
}
double bytes_of(const Bytes& bytes) {
  return static_cast<double>(bytes.count());
}

bool is_scaled_blocks(GemmKernel kernel) {
  return kernel == GemmKernel::blocks || kernel == GemmKernel::tall_blocks;
}

/// The share of a working set that a cache of `usable` bytes still holds: 1 well below, 0 well
/// above (docs: fourth power, an estimate; replacement is not perfect).
double kept(double working_set, double usable) {
  if (usable <= 0) return 0;
  const double fill = working_set / usable;
  return 1 / (1 + fill * fill * fill * fill);
}

struct Operands {
  double activations, weights, results;  // bytes
  double sum() const { return activations + weights + results; }
};

Operands operands_of(const GemmCall& c) {
  return {bytes_of(stored_bytes(c.types.activations, c.types.activation_scaling, c.m, c.k)),
          bytes_of(stored_bytes(c.types.weights, c.types.weight_scaling, c.n, c.k)),
          as_double(c.m) * as_double(c.n) * kResultBytes};
}

/// Multiply-adds a clock of one core. An engine without the format converts to bf16 first, or, for
/// integers it lacks, runs them at the rate of fp8.
double macs_per_cycle(const Machine& machine, Format format) {
  for (const Format f : {format, Format::fp8_e4m3, Format::bf16, Format::fp16, Format::fp32}) {
    if (f == Format::fp8_e4m3 && format != Format::int8 && f != format) continue;
    const auto rate = machine.macs_per_cycle.find(f);
    if (rate != machine.macs_per_cycle.end() && rate->second > 0) return rate->second;
  }
  return 1;
}

double pj_per_flop(const Machine& machine, Format format) {
  for (const Format f : {format, Format::bf16}) {
    const auto energy = machine.pj_per_flop.find(f);
    if (energy != machine.pj_per_flop.end()) return energy->second;
  }
  return 0;
}

/// One product on one machine: what every tile's time needs.
struct Shape {
  double m, n, k;
  double activation_bytes, weight_bytes;  // an element
  double bytes;                           // of all operands, once
  double macs;                            // a clock and core, sustained
  double dram_us;
  double cluster = 1;           // cores that take neighbouring tiles along m together
  double across = 1;            // cores along n that get the same rows of tokens from one copy
  double least_rows = 1;        // a tile of fewer rows takes as long
  bool pairs = false;           // two cores share the operand of the longer side
  bool scaled_blocks = false;   // persistent cores that scale and add the sums of each 128 of k
  bool tall = false;            // of them those with tiles of up to 256 x 128
  bool scales_aside = false;    // by vector operations, not in the matrix engine
  bool bulk_copies = false;     // of whole tiles, to several cores at once, by an engine of its own
  bool copies_outside = false;  // bulk copies ask for a tile's rows outside the product too
  bool fixed_tile = false;      // no library that would avoid tiles too small to keep a core busy
};

struct TileTime {
  GemmTile tile;
  double work = 0;    // of the busiest core's main loops
  double memory = 0;  // DRAM, or what so few cores can draw
  double after = 0;   // epilogues, prologues and the sum of a split
  double us = std::numeric_limits<double>::infinity();
};

/// Cycles of one step along k. Arithmetic and operands take turns at the local memory, so they
/// overlap well but not perfectly: the norm of power 3 (fitted).
double cycles_of_step(const Shape& s, const Machine& machine, const Numbers& c,
                      const GemmTile& tile, double active) {
  const double tm = as_double(tile.m), tn = as_double(tile.n);
  const double sums = std::max(tm, s.least_rows) * tn;
  const double multiply = sums / s.macs;
  const double longer = tm > tn ? tm * s.activation_bytes : tn * s.weight_bytes;
  const double bytes = tm * s.activation_bytes + tn * s.weight_bytes - (s.pairs ? longer / 2 : 0);
  const double idle = s.fixed_tile && s.bulk_copies ? machine.cores / active : 1;
  const double feed = bytes / std::min(kPortBytesPerCycle, kFeedBytesPerCycle * idle);
  double step = std::cbrt(multiply * multiply * multiply + feed * feed * feed);
  if (s.scales_aside) {
    const double uneven = kScaledBlock % tile.n == 0 ? 1 : 1 + c.uneven_scales;
    step += c.scale_ops * uneven * sums / kScaledBlock * 2 / machine.vector_flops_per_cycle;
  }
  if (s.tall && stalls(tile, static_cast<std::int64_t>(s.m), static_cast<std::int64_t>(s.n),
                       static_cast<std::int64_t>(machine.cores))) {
    step = std::max(step, c.stall_cycles);
  }
  return s.fixed_tile ? std::max(step, c.step_cycles) : step;
}

/// Of the rows outside the product that bulk copies ask for in a column's last tile all the same.
/// With few columns these requests hide between others. Microseconds.
double outside_us(const Shape& s, const Machine& machine, const Numbers& c, const GemmTile& tile) {
  if (!s.copies_outside || machine.l2_gbs <= 0) return 0;
  const double tm = as_double(tile.m) * s.cluster;
  const double columns = std::ceil(s.n / as_double(tile.n)) / s.across;
  const double bytes = (std::ceil(s.m / tm) * tm - s.m) * s.k * s.activation_bytes * columns;
  return bytes / (c.outside_l2_share * machine.l2_gbs * 1e3) *
         std::min(1.0, columns / kColumnsThatFillL2);
}

double waves_of(double tiles, double cores) {
  return std::ceil(tiles / cores);
}

TileTime time_of(const Shape& s, const Machine& machine, const Numbers& c, const GemmTile& tile,
                 double beat) {
  TileTime t{tile};
  const double tm = as_double(tile.m), tn = as_double(tile.n), split = as_double(tile.split);
  const double rows = std::ceil(std::ceil(s.m / tm) / s.cluster) * s.cluster;
  const double tiles = rows * std::ceil(s.n / tn) * split;
  const double waves = waves_of(tiles, machine.cores);
  const double cycles_a_us = machine.clock_ghz * 1e3;
  const double step = cycles_of_step(s, machine, c, tile, std::min(tiles, machine.cores));
  const double around = (c.prologue_cycles + tm * tn * kResultBytes / c.epilogue) / cycles_a_us;
  // A persistent core writes a tile out while it multiplies the next.
  const double within = s.scaled_blocks ? waves - 1 : 0;
  const double loop = std::max(s.k / split * step, s.fixed_tile ? c.tile_cycles : 0);
  t.work = waves * loop / cycles_a_us + within * around;
  t.memory = std::max(s.dram_us / c.dram_share,
                      s.bytes / (std::min(tiles, machine.cores) * c.core_gbs * 1e3));
  t.after = (waves - within) * around + outside_us(s, machine, c, tile) +
            (tile.split > 1 ? c.split_us + 2 * split * s.m * s.n * kPartialBytes /
                                               (std::max(machine.l2_gbs, 1.0) * 1e3)
                            : 0);
  if (std::max(t.work, t.memory) + t.after < beat) {
    t.us = norm(t.work, t.memory, c.overlap) + t.after;
  }
  return t;
}

/// Whether a library would cut k so: enough of it is left, and cores would idle otherwise.
bool splits(const Shape& s, const Machine& machine, const GemmTile& tile) {
  const double tiles = std::ceil(s.m / as_double(tile.m)) * std::ceil(s.n / as_double(tile.n));
  return s.k / as_double(tile.split) >= kLeastSplitOfK && tiles <= machine.cores;
}

Shape shape_of(const GemmCall& call, const Machine& machine, const Numbers& c, double dram_us) {
  const Operands o = operands_of(call);
  const double m = as_double(call.m), n = as_double(call.n), k = as_double(call.k);
  // DRAM's time is of all traffic; the pass that quantises has its part.
  const double pass = call.types.quantises ? m * k * 3 : 0;
  Shape s{m,
          n,
          k,
          o.activations / (m * k),
          o.weights / (n * k),
          o.sum(),
          macs_per_cycle(machine, call.types.multiply) * c.efficiency,
          dram_us * o.sum() / (o.sum() + pass)};
  const std::string& generation = machine.generation;
  s.pairs = generation == "tcgen05";
  s.scaled_blocks = is_scaled_blocks(call.kernel);
  s.scales_aside = s.scaled_blocks && generation != "tcgen05";
  s.bulk_copies = generation == "wgmma" || generation == "tcgen05";
  const bool by_rows = s.scaled_blocks || call.kernel == GemmKernel::cutlass ||
                       call.kernel == GemmKernel::sgl_cutlass;
  s.copies_outside = by_rows && s.bulk_copies;
  s.tall = call.kernel == GemmKernel::tall_blocks && generation == "wgmma";
  return s;
}

TileTime best_tile(const GemmCall& call, Shape s, const Machine& machine, const Numbers& c) {
  TileTime best;
  const GemmTiles tiles = gemm_tiles(call, machine.generation);
  s.cluster = tiles.cluster;
  s.across = tiles.across;
  s.least_rows = tiles.least_rows;
  s.fixed_tile = !tiles.chosen;
  if (s.scaled_blocks) {
    const auto cores = static_cast<std::int64_t>(machine.cores);
    return time_of(s, machine, c, tile_by_waves(s.tall, call.m, call.n, cores), best.us);
  }
  for (const GemmTile& tile : tiles.tiles) {
    for (const std::int64_t split : tiles.splits) {
      const GemmTile cut{tile.m, tile.n, split};
      if (split > 1 && !splits(s, machine, cut)) break;
      const TileTime t = time_of(s, machine, c, cut, best.us);
      if (t.us < best.us) best = t;
    }
  }
  if (tiles.chosen) {
    const TileTime usual = time_of(s, machine, c, {128, 128, 1}, 3 * best.us);
    best.after += c.regret * (std::min(usual.us, 3 * best.us) - best.us);
  }
  return best;
}

/// The pass that makes the activations' type from bf16: a core a row, or bytes through the cache,
/// or, when they do not fit, through DRAM. Microseconds.
double quantise_us(const GemmCall& call, const Machine& machine, const Numbers& c) {
  if (!call.types.quantises) return 0;
  const double bytes = 3 * as_double(call.m) * as_double(call.k);  // bf16 in, one byte out
  const double rows = waves_of(as_double(call.m), machine.cores) * c.quantise_row_us;
  const double cache = bytes / (c.quantise_cache * machine.cores * machine.clock_ghz * 1e3);
  const double dram = (1 - kept(bytes, machine.l2_bytes)) * bytes /
                      (c.quantise_dram_share * machine.dram_stream_gbs * 1e3);
  return std::max({rows, cache, dram});
}

/// The product cannot draw more than the board gives above idle.
double power_us(const GemmCall& call, const Machine& machine, const Numbers& c) {
  const double watts = machine.power_limit_w - machine.power_idle_w;
  if (watts <= 0) return 0;
  const double pj = pj_per_flop(machine, call.types.multiply) * c.energy;
  return 2 * as_double(call.m) * as_double(call.n) * as_double(call.k) * pj * 1e-6 / watts;
}

}  // namespace

LawInfo gemm_law() {
  return {"gemm", kConstants};
}

Traffic gemm_traffic(const GemmCall& call, const Machine& machine, Residency residency) {
  const Operands o = operands_of(call);
  double weights = 1, others = 1;  // shares that come from DRAM
  if (residency == Residency::cycling) {
    weights -= kept(kCopies * o.weights + o.activations + o.results, machine.l2_bytes);
    others -= kept(o.sum(), machine.l2_bytes);
  }
  Traffic t{o.activations * others + o.weights * weights, o.results * others};
  if (call.types.quantises) {
    const double elements = as_double(call.m) * as_double(call.k);
    const double pass =
        residency == Residency::cycling ? 1 - kept(3 * elements, machine.l2_bytes) : 1;
    t.read += 2 * elements * pass;
    t.written += elements * pass;
  }
  return t;
}

Terms gemm_terms(const GemmCall& call, const Machine& machine, Constants constants, double dram_us,
                 const std::optional<GemmTile>& pinned) {
  const Numbers c(constants);
  const Shape s = shape_of(call, machine, c, dram_us);
  const TileTime t = pinned
                         ? time_of(s, machine, c, *pinned, std::numeric_limits<double>::infinity())
                         : best_tile(call, s, machine, c);
  const double product = norm(norm(t.work, t.memory, c.overlap) + t.after,
                              power_us(call, machine, c), kPowerSharpness);

  Terms terms;
  terms.before = c.start_us;
  terms.work = t.work;
  terms.overlap = c.overlap;
  terms.dram_share = t.memory > 0 && dram_us > 0 ? std::min(1.0, dram_us / t.memory) : 1;
  terms.after =
      product + quantise_us(call, machine, c) - norm(t.work, dram_us / terms.dram_share, c.overlap);
  terms.floor = c.host_floor_us;
  terms.kernel = fmt::format("{} {} x {}{}", to_string(call.kernel), t.tile.m, t.tile.n,
                             t.tile.split > 1 ? fmt::format(", {} of k", t.tile.split) : "");
  return terms;
}

GemmTile gemm_tile(const GemmCall& call, const Machine& machine, Constants constants,
                   double dram_us) {
  const Numbers c(constants);
  return best_tile(call, shape_of(call, machine, c, dram_us), machine, c).tile;
}

}  // namespace presil::kernels
