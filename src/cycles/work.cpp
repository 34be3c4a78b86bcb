#include "cycles/work.h"

#include <algorithm>

#include "base/integers.h"
#include "cycles/kernel_meter.h"
#include "cycles/operator_work.h"
#include "chip/vector_flops.h"

namespace presil {
namespace {

/// Rows are handed to cores; every element costs `flops`.
void count_rows(KernelMeter& meter, std::int64_t flops) {
  const std::int64_t elements = meter.extent(Axis::m) * meter.extent(Axis::n);
  const std::int64_t tiles = meter.tiles_over_cores();
  const std::int64_t cores = meter.chip().core.count;
  const std::int64_t waves = ceil_div(tiles, cores);
  const std::int64_t busiest = ceil_div(elements, tiles) * waves;
  meter.run_on(waves, std::min(tiles, cores));
  meter.vector(flops * busiest, 0, meter.active_cores());
  meter.useful(flops * elements);
}

void count_own_weights(KernelMeter& meter) {
  meter.read_weights();
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

/// The faster of a ring and a one-shot exchange, as serving engines choose.
void all_reduce(KernelMeter& meter) {
  const double p = static_cast<double>(meter.program().tensor_parallel);
  const double size = static_cast<double>(meter.bytes(meter.kernel().inputs.front()));
  const Link& link = *meter.chip().link;
  const double ring =
      2 * (p - 1) * link.latency.count() + 2 * (p - 1) / p * size / link.bandwidth.count();
  const double one_shot = link.latency.count() + (p - 1) * size / link.bandwidth.count();
  const double sent = ring < one_shot ? 2 * (p - 1) / p * size : (p - 1) * size;
  meter.link(to_picoseconds(Seconds(std::min(ring, one_shot))),
             Bytes(static_cast<std::int64_t>(sent)));
}

void all_gather(KernelMeter& meter) {
  const Link& link = *meter.chip().link;
  const Bytes sent((meter.program().tensor_parallel - 1) *
                   meter.bytes(meter.kernel().inputs.front()));
  meter.link(to_picoseconds(link.latency) + duration(sent, link.bandwidth), sent);
}

/// Inputs and outputs go over the network once; those that bind could not keep on the chip come
/// from or go to DRAM as well.
void move_activations(KernelMeter& meter) {
  const auto move = [&](int t, bool write) {
    if (meter.placement(t).level != Level::dram) return;
    meter.move({{meter.placement(t).address, meter.bytes(t), 0, 0}, Cargo::activations, write});
  };
  const Kernel& k = meter.kernel();
  for (const int t : k.inputs) {
    if (meter.tensor(t).role != Role::activation) continue;
    // A gemm has counted how often tiles are carried.
    if (k.op != Op::gemm) meter.carry(meter.bytes(t), meter.bytes(t));
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
    case Op::all_reduce:
      count_rows(meter, 1);
      all_reduce(meter);
      break;
    case Op::all_gather:
      all_gather(meter);
      break;
    case Op::argmax:
      count_rows(meter, 1);
      break;
  }
}

}  // namespace

KernelWork work_of(const BoundProgram& bound, std::size_t block, std::size_t kernel,
                   std::int64_t layer, const Chip& chip) {
  KernelMeter meter(bound, block, kernel, layer, chip);
  count_operator(meter);
  move_activations(meter);
  return meter.total();
}

}  // namespace presil
