#include "cycles/work.h"

#include <algorithm>

#include "base/integers.h"
#include "chip/vector_flops.h"
#include "cycles/collective_work.h"
#include "cycles/kernel_meter.h"
#include "cycles/operator_work.h"

namespace presil {
namespace {

void count_own_weights(KernelMeter& meter) {
  meter.read_weights(1, meter.weight_bytes());
  meter.carry(meter.weight_bytes(), meter.weight_bytes());
}

/// The rows of the embedding table that tokens look up.
void gather_rows(KernelMeter& meter) {
  const int table = meter.kernel().weights.front();
  const std::int64_t length = meter.tensor(table).bytes(meter.extent(Axis::m)).count();
  meter.move({{meter.tensor(table).base, std::min(length, meter.bytes(table)), 0, 0},
              Cargo::activations,
              false});
}

/// New keys and values, at the end of the sequence's cache. Those of several sequences are
/// scattered; one stretch of the layer's cache stands for them.
void append_to_cache(KernelMeter& meter) {
  const std::vector<Sequence>& sequences = meter.step().sequences;
  const std::int64_t before = sequences.size() == 1 ? sequences.front().context : 0;
  for (const int t : meter.kernel().outputs) {
    const Tensor& cache = meter.tensor(t);
    if (cache.role != Role::cache) continue;
    const std::int64_t base = meter.cache_base(t) + bytes_of_tokens(cache, before);
    meter.move({{base, bytes_of_tokens(cache, meter.step().tokens()), 0, 0}, Cargo::cache, true});
  }
}

/// What expanded latent attention makes keys and values of: the cached rows of the kernel's
/// sequences. Of several sequences one stretch of the layer's cache stands for them.
void read_latents(KernelMeter& meter, int cache) {
  const std::int64_t tokens = meter.extent(Axis::m);
  meter.move({{meter.cache_base(cache), bytes_of_tokens(meter.tensor(cache), tokens), 0, 0},
              Cargo::cache,
              false});
}

/// Inputs and outputs go over the network once; those that bind could not keep on the chip come
/// from or go to DRAM as well.
void move_activations(KernelMeter& meter) {
  const auto move = [&](int t, bool write) {
    if (meter.placement(t).level != Level::dram) return;
    meter.move({{meter.placement(t).address, meter.bytes(t), 0, 0}, Cargo::activations, write});
  };
  const Kernel& k = meter.kernel();
  const bool is_product = k.op == Op::gemm || k.op == Op::grouped_gemm;
  for (const int t : k.inputs) {
    if (is_product && meter.tensor(t).role == Role::cache) read_latents(meter, t);
    if (meter.tensor(t).role != Role::activation) continue;
    // A product has counted how often tiles are carried.
    if (!is_product) meter.carry(meter.bytes(t), meter.bytes(t));
    move(t, false);
  }
  for (const int t : k.outputs) {
    if (meter.tensor(t).role != Role::activation) continue;
    meter.carry(meter.bytes(t), meter.bytes(t));
    move(t, true);
  }
}

void count_operator(KernelMeter& meter) {
  switch (meter.kernel().op) {
    case Op::embed:
      count_rows(meter, 0);
      gather_rows(meter);
      break;
    case Op::rmsnorm:
      count_rows(meter, kNormFlops);
      count_own_weights(meter);
      break;
    case Op::gemm:
    case Op::grouped_gemm:
      count_gemm(meter);
      break;
    case Op::rope:
      count_rows(meter, kRopeFlops);
      count_own_weights(meter);
      append_to_cache(meter);
      break;
    case Op::attention:
      count_attention(meter);
      break;
    case Op::top_k:
      count_top_k(meter);
      break;
    case Op::dispatch:
      count_rows(meter, 0);
      break;
    case Op::combine:
      count_combine(meter);
      break;
    case Op::convert:
      count_rows(meter, kQuantiseFlops);
      break;
    case Op::all_reduce:
    case Op::reduce_scatter:
      count_rows(meter, 1);
      count_collective(meter);
      break;
    case Op::all_gather:
    case Op::all_to_all:
    case Op::send_recv:
      count_collective(meter);
      break;
    case Op::argmax:
      count_rows(meter, 1);
      break;
    case Op::sample:
      count_sample(meter);
      break;
  }
}

}  // namespace

void count_rows(KernelMeter& meter, std::int64_t flops, std::int64_t exps) {
  const std::int64_t elements = meter.extent(Axis::m) * meter.extent(Axis::n);
  const std::int64_t tiles = meter.tiles_over_cores();
  const std::int64_t cores = meter.chip().core.count;
  const std::int64_t waves = ceil_div(tiles, cores);
  const std::int64_t busiest = ceil_div(elements, tiles) * waves;
  meter.run_on(waves, std::min(tiles, cores));
  meter.vector(flops * busiest, exps * busiest, meter.active_cores());
  meter.useful(flops * elements);
}

Picoseconds at_clock(Picoseconds time, double clock) {
  return clock == 1 ? time : to_picoseconds(to_seconds(time) / clock);
}

KernelWork work_of(const BoundProgram& bound, std::size_t block, std::size_t kernel,
                   std::int64_t layer, const Chip& chip) {
  KernelMeter meter(bound, block, kernel, layer, chip);
  count_operator(meter);
  move_activations(meter);
  return meter.total();
}

}  // namespace presil
