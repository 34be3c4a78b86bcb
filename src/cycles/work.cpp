#include "cycles/work.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include <fmt/format.h>

#include "base/integers.h"
#include "chip/engine_time.h"

namespace presil {
namespace {

// fp32 operations of the vector engine, counted from the operators' formulas.
constexpr std::int64_t kNormFlops = 4;        // an element: square, add, scale, weight
constexpr std::int64_t kRopeFlops = 3;        // an element: two multiplies, one add
constexpr std::int64_t kSwigluFlops = 4;      // a pair: negate, add, divide, multiply
constexpr std::int64_t kSoftmaxFlops = 4;     // a score: scale, max, subtract, add
constexpr std::int64_t kQuantiseFlops = 4;    // an activation: absolute, max, scale, round
constexpr std::int64_t kDequantiseFlops = 2;  // a weight, key or value: multiply, add
constexpr std::int64_t kScaleFlops = 2;       // a segment's sum: scale, add
constexpr std::int64_t kBlockDotFlops = 3;    // a 32-block of an integer dot: scale, scale, add

constexpr std::int64_t kMostPasses = 1 << 20;  // each is a stream of its own

class Worker {
 public:
  Worker(const BoundProgram& bound, const BoundBlock& block, std::size_t kernel, std::int64_t layer,
         const Chip& chip)
      : bound_(bound),
        b_(block.kernels[kernel]),
        k_(*b_.kernel),
        layer_(layer),
        first_layer_(block.block->first_layer),
        chip_(chip) {}

  KernelWork run() {
    switch (k_.op) {
      case Op::embed:
        rowwise(0);
        move(gathered_rows());
        break;
      case Op::rmsnorm:
        rowwise(kNormFlops);
        read_weights();
        break;
      case Op::gemm:
        gemm();
        break;
      case Op::rope:
        rowwise(kRopeFlops);
        read_weights();
        append_to_cache();
        break;
      case Op::attention:
        attention();
        break;
      case Op::all_reduce:
        rowwise(1);
        all_reduce();
        break;
      case Op::all_gather:
        all_gather();
        break;
      case Op::argmax:
        rowwise(1);
        break;
    }
    move_activations();
    finish();
    return std::move(w_);
  }

 private:
  const Tensor& tensor(int index) const { return bound_.program->tensor(index); }
  const Placement& placement(int index) const {
    return bound_.placements[static_cast<std::size_t>(index)];
  }
  std::int64_t rows_of(const Tensor& t) const {
    std::int64_t rows = t.rows.scale;
    if (t.rows.symbol == Symbol::T) rows *= bound_.step.tokens();
    if (t.rows.symbol == Symbol::S) rows *= static_cast<std::int64_t>(bound_.step.sequences.size());
    return rows;
  }
  std::int64_t bytes(int index) const {
    const Tensor& t = tensor(index);
    return t.bytes(rows_of(t)).count();
  }

  void move(DramTraffic t) { w_.traffic.push_back(t); }

  std::int64_t weight_bytes() const {
    std::int64_t sum = 0;
    for (const int t : k_.weights) sum += bytes(t);
    return sum;
  }

  /// The weights of a kernel lie side by side: one stream.
  void read_weights(std::int64_t passes = 1) {
    if (k_.weights.empty()) return;
    const Tensor& first = tensor(k_.weights.front());
    const std::int64_t base = first.base + layer_ * first.layer_stride;
    for (std::int64_t p = 0; p < passes; ++p) {
      move({{base, weight_bytes(), 0, 0}, Cargo::weights, false});
    }
    noc_bytes_ += weight_bytes();
    unique_bytes_ += weight_bytes();
  }

  DramTraffic gathered_rows() const {
    const Tensor& table = tensor(k_.weights.front());
    const std::int64_t length = table.bytes(b_.extent(Axis::m)).count();
    return {
        {table.base, std::min(length, bytes(k_.weights.front())), 0, 0}, Cargo::activations, false};
  }

  std::int64_t cache_base(int tensor) const {
    return placement(tensor).address + (first_layer_ + layer_) * bound_.cache_layer_stride;
  }

  /// The keys, or the values, of `count` tokens in one layer, with their scales.
  static std::int64_t bytes_of_tokens(const Tensor& cache, std::int64_t count) {
    return count * cache.bytes(cache.rows.scale).count();
  }

  /// New keys and values, at the end of the sequence's cache. Those of several sequences are
  /// scattered; one stretch of the layer's cache stands for them.
  void append_to_cache() {
    const std::vector<Sequence>& sequences = bound_.step.sequences;
    const std::int64_t before = sequences.size() == 1 ? sequences.front().context : 0;
    for (const int t : k_.outputs) {
      if (tensor(t).role != Role::cache) continue;
      const std::int64_t base = cache_base(t) + bytes_of_tokens(tensor(t), before);
      move({{base, bytes_of_tokens(tensor(t), bound_.step.tokens()), 0, 0}, Cargo::cache, true});
    }
  }

  std::int64_t cores_in_use() const {
    std::int64_t tiles = b_.mapping->split_k;
    for (const Loop& loop : b_.mapping->loops) {
      if (loop.over == Over::cores) tiles *= ceil_div(b_.extent(loop.axis), loop.tile);
    }
    return tiles;
  }

  /// The mapping's tile along `axis`; without a loop over it, the whole of its `extent`.
  std::int64_t tile(Axis axis, std::int64_t extent) const {
    const std::int64_t t = b_.mapping->tile(axis);
    return t == 0 ? extent : std::min(t, extent);
  }

  Picoseconds matrix_time(CoreCycles cycles) const {
    return CoreClock(matrix_clock(chip_.core)).edge(cycles);
  }
  void vector_work(std::int64_t flops_per_core, std::int64_t exps_per_core, std::int64_t cores) {
    w_.vector += CoreClock(vector_clock(chip_.core))
                     .edge(vector_cycles(chip_.core.vector, flops_per_core, exps_per_core));
    w_.counts.vector_flops += flops_per_core * cores;
    w_.counts.exponentials += exps_per_core * cores;
  }
  void local_work(std::int64_t bytes_per_core, std::int64_t total_bytes) {
    const double cycles = static_cast<double>(bytes_per_core) / chip_.core.sram.read.count();
    w_.local += CoreClock(chip_.core.clock).edge(whole_cycles(cycles));
    w_.counts.local_bytes += Bytes(total_bytes);
  }

  /// Rows are handed to cores; every element costs `flops`.
  void rowwise(std::int64_t flops) {
    const std::int64_t elements = b_.extent(Axis::m) * b_.extent(Axis::n);
    const std::int64_t tiles = cores_in_use();
    w_.active_cores = std::min(tiles, chip_.core.count);
    const std::int64_t waves = ceil_div(tiles, chip_.core.count);
    const std::int64_t busiest = ceil_div(elements, tiles) * waves;
    vector_work(flops * busiest, 0, w_.active_cores);
    w_.steps = waves;
    w_.flops = flops * elements;
  }

  /// A product cut by its mapping: tiles are handed to the cores in waves, a core passes along k.
  struct GemmCut {
    std::int64_t m, n, k;
    std::int64_t tile_m, tile_n, tile_k;
    std::int64_t split;    // cores that share a tile, each with its k_range
    std::int64_t k_range;  // of one core
    std::int64_t tiles_m, tiles_n, k_steps, waves;
  };

  GemmCut cut_gemm() {
    GemmCut c{};
    c.m = b_.extent(Axis::m);
    c.n = b_.extent(Axis::n);
    c.k = b_.extent(Axis::k);
    c.split = b_.mapping->split_k;
    c.tile_m = tile(Axis::m, c.m);
    c.tile_n = tile(Axis::n, c.n);
    c.k_range = ceil_div(c.k, c.split);
    c.tile_k = tile(Axis::k, c.k_range);
    c.tiles_m = ceil_div(c.m, c.tile_m);
    c.tiles_n = ceil_div(c.n, c.tile_n);
    c.k_steps = ceil_div(c.k_range, c.tile_k);
    const std::int64_t tiles = c.tiles_m * c.tiles_n * c.split;
    c.waves = ceil_div(tiles, chip_.core.count);
    w_.steps = c.waves * c.k_steps;
    w_.active_cores = std::min(tiles, chip_.core.count);
    busy_share_ = static_cast<double>(tiles) / static_cast<double>(c.waves * chip_.core.count);
    return c;
  }

  void gemm() {
    const GemmCut c = cut_gemm();
    multiply(c);
    carry(c);
    vector_work(gemm_flops_per_core(c.tile_m, c.tile_n, c.k_range) * c.waves,
                k_.epilogue == Epilogue::swiglu ? c.tile_m * c.tile_n / 2 * c.waves : 0,
                w_.active_cores);
    if (c.split > 1) add_partial_sums(c);
  }

  void multiply(const GemmCut& c) {
    // The last step along k may be short.
    const std::int64_t last_k = c.k_range - (c.k_steps - 1) * c.tile_k;
    const MatrixEngine& engine = chip_.core.matrix;
    const CoreCycles full = matrix_cycles(engine, c.tile_m, c.tile_n, c.tile_k, k_.multiply);
    const CoreCycles last = matrix_cycles(engine, c.tile_m, c.tile_n, last_k, k_.multiply);
    w_.matrix = matrix_time((full * (c.k_steps - 1) + last) * c.waves);
    w_.counts.macs[k_.multiply] += c.m * c.n * c.k;
    w_.flops = 2 * c.m * c.n * c.k;
  }

  /// Operands on their way from DRAM and shared memory to the cores' engines.
  void carry(const GemmCut& c) {
    const Format activations = tensor(k_.inputs.front()).format;
    const std::int64_t input = c.m * bytes_of(activations, c.k).count();
    const std::int64_t weights = weight_bytes();
    const std::int64_t core_bytes =
        (c.tile_m * bytes_of(activations, c.k_range).count() + weights * c.tile_n / c.n / c.split) *
        c.waves;
    const std::int64_t carried = c.tiles_n * input + c.tiles_m * weights;
    local_work(core_bytes, 2 * carried);  // written by the DMA, read by the engine

    // A wave holds as many row tiles as there are; the columns it covers share their weights.
    const std::int64_t rows_in_wave = std::min(c.tiles_m, chip_.core.count);
    const std::int64_t panel = c.tile_n * (weights / c.n);
    const bool panel_stays = chip_.sram && panel * ceil_div(chip_.core.count, rows_in_wave) <=
                                               bound_.program->shared_memory.count() / 2;
    const std::int64_t passes = panel_stays ? 1 : ceil_div(c.tiles_m, rows_in_wave);
    if (passes > kMostPasses) {
      throw LimitReached(fmt::format("{}: {} reads its weights {} times; at most {} are simulated",
                                     chip_.name, k_.name, passes, kMostPasses));
    }
    read_weights(passes);
    noc_bytes_ += carried - weights;
    unique_bytes_ += input - weights + weights * passes;
  }

  /// Partial sums travel once to the core that adds them.
  void add_partial_sums(const GemmCut& c) {
    const std::int64_t elements = (c.split - 1) * c.m * c.n;
    noc_bytes_ += 2 * 4 * elements;
    unique_bytes_ += 2 * 4 * elements;
    vector_work(elements / w_.active_cores, 0, w_.active_cores);
  }

  std::int64_t gemm_flops_per_core(std::int64_t m, std::int64_t n, std::int64_t k) const {
    const ProductNumerics& numerics = products_of(*bound_.program, k_);
    std::int64_t flops = 0;
    if (k_.epilogue == Epilogue::add) flops += m * n;
    if (k_.epilogue == Epilogue::swiglu) flops += kSwigluFlops * m * n / 2;
    const Format weights = tensor(k_.weights.front()).format;
    if (!numerics.activations && is_block_format(weights) && k_.multiply == Format::int8) {
      return flops + kBlockDotFlops * m * n * ceil_div(k, 32) + kQuantiseFlops * m * k;
    }
    // What the engine does not multiply as it lies in memory is converted on the way.
    if (weights != k_.multiply && weights != Format::fp32) flops += kDequantiseFlops * n * k;
    if (numerics.activations && numerics.activations->scaling != Scaling::none) {
      flops += kQuantiseFlops * m * k + kScaleFlops * m * n * segments(numerics, k);
    }
    return flops;
  }

  /// The segments of a sum over k: each is scaled and added on the vector engine. Scales of 32 and
  /// 16 elements are the matrix engine's.
  static std::int64_t segments(const ProductNumerics& numerics, std::int64_t k) {
    std::int64_t length = numerics.accumulator.promote_every;
    for (const auto& operand : {numerics.weights, numerics.activations}) {
      if (operand && k_by_128(operand->scaling))
        length = length == 0 ? 128 : std::min<std::int64_t>(length, 128);
    }
    return length == 0 ? 1 : ceil_div(k, length);
  }

  static bool k_by_128(Scaling s) { return s == Scaling::group_128 || s == Scaling::block_128; }

  std::int64_t first_key(std::int64_t context) const {
    return first_key_seen(bound_.program->sliding_window, context);
  }

  /// The keys that the first `queries` of a sequence see, counted for each.
  std::int64_t pairs_up_to(std::int64_t queries) const {
    const std::int64_t window = bound_.program->sliding_window;
    const std::int64_t rising = window > 0 ? std::min(queries, window) : queries;
    return rising * (rising + 1) / 2 + (queries - rising) * window;
  }

  void attention() {
    const std::int64_t kv_heads = b_.extent(Axis::h);
    const std::int64_t heads = b_.extent(Axis::n);
    const std::int64_t d = b_.extent(Axis::d);
    const std::int64_t group = heads / kv_heads;
    const std::int64_t tile_c = tile(Axis::c, b_.extent(Axis::c));
    const Tensor& cache = tensor(k_.inputs[1]);
    const std::int64_t key_bytes = 2 * cache.bytes(1).count();  // of one KV head

    std::int64_t tile_steps = 0;  // (query tile, key tile) pairs, over sequences and KV heads
    std::int64_t keys = 0;
    std::int64_t pairs = 0;  // scored (query, key) pairs of one head
    std::int64_t rows = 1;
    for (const Sequence& s : bound_.step.sequences) {
      const std::int64_t tile_q = tile(Axis::q, s.new_tokens);
      rows = std::max(rows, tile_q * group);
      for (std::int64_t q = 0; q < s.new_tokens; q += tile_q) {
        // Causal: later keys are skipped, and those before the window.
        const std::int64_t last = s.context + std::min(q + tile_q, s.new_tokens);
        tile_steps += kv_heads * (ceil_div(last, tile_c) - first_key(s.context + q) / tile_c);
      }
      keys += s.context + s.new_tokens - first_key(s.context);
      pairs += pairs_up_to(s.context + s.new_tokens) - pairs_up_to(s.context);
    }
    // Key tiles of one query tile go to several cores when there are cores to spare (flash
    // decoding); either way the steps are spread evenly.
    w_.active_cores = std::min(tile_steps, chip_.core.count);
    w_.steps = ceil_div(tile_steps, chip_.core.count);
    const CoreCycles step = matrix_cycles(chip_.core.matrix, rows, tile_c, d, k_.multiply) +
                            matrix_cycles(chip_.core.matrix, rows, d, tile_c, k_.multiply);
    w_.matrix = matrix_time(step * w_.steps);
    w_.counts.macs[k_.multiply] += 2 * heads * pairs * d;
    w_.flops = 4 * heads * pairs * d;
    const bool converted = cache.format != k_.multiply && cache.format != Format::fp32;
    const std::int64_t conversion = converted ? kDequantiseFlops * 2 * tile_c * d : 0;
    vector_work((kSoftmaxFlops * rows * tile_c + conversion) * w_.steps, rows * tile_c * w_.steps,
                w_.active_cores);
    const std::int64_t step_bytes = tile_c * key_bytes;
    local_work(step_bytes * w_.steps, 2 * step_bytes * tile_steps);

    // Of several sequences the windows lie apart; one stretch of the layer's cache stands for them.
    const std::vector<Sequence>& sequences = bound_.step.sequences;
    const std::int64_t before = sequences.size() == 1 ? first_key(sequences.front().context) : 0;
    const std::int64_t cached = 2 * bytes_of_tokens(cache, keys);
    for (const int t : {k_.inputs[1], k_.inputs[2]}) {
      const std::int64_t base = cache_base(t) + bytes_of_tokens(cache, before);
      move({{base, cached / 2, 0, 0}, Cargo::cache, false});
    }
    noc_bytes_ += std::max(cached, step_bytes * tile_steps);
    unique_bytes_ += cached;
  }

  std::int64_t group_size() const { return bound_.program->tensor_parallel; }

  /// The faster of a ring and a one-shot exchange, as serving engines choose.
  void all_reduce() {
    const double p = static_cast<double>(group_size());
    const double size = static_cast<double>(bytes(k_.inputs.front()));
    const Link& link = *chip_.link;
    const double ring =
        2 * (p - 1) * link.latency.count() + 2 * (p - 1) / p * size / link.bandwidth.count();
    const double one_shot = link.latency.count() + (p - 1) * size / link.bandwidth.count();
    w_.link = to_picoseconds(Seconds(std::min(ring, one_shot)));
    const double sent = ring < one_shot ? 2 * (p - 1) / p * size : (p - 1) * size;
    w_.counts.link_bytes += Bytes(static_cast<std::int64_t>(sent));
  }

  void all_gather() {
    const std::int64_t sent = (group_size() - 1) * bytes(k_.inputs.front());
    w_.link = to_picoseconds(chip_.link->latency) + duration(Bytes(sent), chip_.link->bandwidth);
    w_.counts.link_bytes += Bytes(sent);
  }

  /// Inputs and outputs go over the network once; those that bind could not keep on the chip come
  /// from or go to DRAM as well.
  void move_activations() {
    for (const int t : k_.inputs) {
      if (tensor(t).role != Role::activation) continue;
      if (k_.op != Op::gemm) {  // a gemm has counted how often tiles are carried
        noc_bytes_ += bytes(t);
        unique_bytes_ += bytes(t);
      }
      if (placement(t).level == Level::dram) {
        move({{placement(t).address, bytes(t), 0, 0}, Cargo::activations, false});
      }
    }
    for (const int t : k_.outputs) {
      if (tensor(t).role != Role::activation) continue;
      noc_bytes_ += bytes(t);
      unique_bytes_ += bytes(t);
      if (placement(t).level == Level::dram) {
        move({{placement(t).address, bytes(t), 0, 0}, Cargo::activations, true});
      }
    }
  }

  void finish() {
    // A core takes in its own share of the network's bandwidth, no more.
    const double cores =
        static_cast<double>(w_.active_cores) / static_cast<double>(chip_.core.count);
    w_.noc = duration(Bytes(noc_bytes_), chip_.noc.bandwidth * busy_share_.value_or(cores));
    w_.counts.noc_bytes += Bytes(noc_bytes_);
    if (chip_.sram) {
      const std::int64_t through =
          std::max(unique_bytes_, ceil_div(noc_bytes_, chip_.noc.multicast));
      w_.shared = duration(Bytes(through), chip_.sram->read);
      w_.counts.shared_bytes += Bytes(through);
    }
  }

  const BoundProgram& bound_;
  const BoundKernel& b_;
  const Kernel& k_;
  const std::int64_t layer_;  // of the block
  const std::int64_t first_layer_;
  const Chip& chip_;
  KernelWork w_;
  std::optional<double> busy_share_;  // of the cores' time over all waves, where there are waves
  std::int64_t noc_bytes_ = 0;        // into cores, every copy
  std::int64_t unique_bytes_ = 0;     // out of and into shared memory when nothing is read twice
};

}  // namespace

KernelWork work_of(const BoundProgram& bound, std::size_t block, std::size_t kernel,
                   std::int64_t layer, const Chip& chip) {
  return Worker(bound, bound.blocks[block], kernel, layer, chip).run();
}

}  // namespace presil
