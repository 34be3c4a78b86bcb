#include <algorithm>

#include "base/integers.h"
#include "chip/engine_time.h"
#include "cycles/operator_work.h"
#include "chip/vector_flops.h"

namespace presil {
namespace {

/// The keys that the first `queries` of a sequence see, counted for each.
std::int64_t pairs_up_to(std::int64_t window, std::int64_t queries) {
  const std::int64_t rising = window > 0 ? std::min(queries, window) : queries;
  return rising * (rising + 1) / 2 + (queries - rising) * window;
}

struct AttentionCut {
  std::int64_t tile_steps = 0;  // (query tile, key tile) pairs, over sequences and KV heads
  std::int64_t keys = 0;
  std::int64_t pairs = 0;  // scored (query, key) pairs of one head
  std::int64_t rows = 1;   // of the largest query tile, over the heads that share keys
};

AttentionCut cut_of(const KernelMeter& meter, std::int64_t tile_c) {
  const std::int64_t window = meter.sliding_window();
  const std::int64_t kv_heads = meter.extent(Axis::h);
  const std::int64_t group = meter.extent(Axis::n) / kv_heads;
  AttentionCut cut;
  for (const Sequence& s : meter.step().sequences) {
    const std::int64_t tile_q = meter.tile(Axis::q, s.new_tokens);
    cut.rows = std::max(cut.rows, tile_q * group);
    for (std::int64_t q = 0; q < s.new_tokens; q += tile_q) {
      // Causal: later keys are skipped, and those before the window.
      const std::int64_t last = s.context + std::min(q + tile_q, s.new_tokens);
      cut.tile_steps +=
          kv_heads * (ceil_div(last, tile_c) - first_key_seen(window, s.context + q) / tile_c);
    }
    const std::int64_t tokens = s.context + s.new_tokens;
    cut.keys += tokens - first_key_seen(window, s.context);
    cut.pairs += pairs_up_to(window, tokens) - pairs_up_to(window, s.context);
  }
  return cut;
}

}  // namespace

void count_attention(KernelMeter& meter) {
  const Kernel& kernel = meter.kernel();
  const std::int64_t heads = meter.extent(Axis::n);
  const std::int64_t d = meter.extent(Axis::d);
  const std::int64_t tile_c = meter.tile(Axis::c, meter.extent(Axis::c));
  const AttentionCut cut = cut_of(meter, tile_c);

  // Key tiles of one query tile go to several cores when there are cores to spare (flash
  // decoding); either way the steps are spread evenly.
  const std::int64_t cores = meter.chip().core.count;
  const std::int64_t steps = ceil_div(cut.tile_steps, cores);
  meter.run_on(steps, std::min(cut.tile_steps, cores));
  const MatrixEngine& engine = meter.chip().core.matrix;
  const CoreCycles step = matrix_cycles(engine, cut.rows, tile_c, d, kernel.multiply) +
                          matrix_cycles(engine, cut.rows, d, tile_c, kernel.multiply);
  meter.matrix(step * steps, 2 * heads * cut.pairs * d);
  meter.useful(4 * heads * cut.pairs * d);

  const Tensor& cache = meter.tensor(kernel.inputs[1]);
  const bool converted = cache.format != kernel.multiply && cache.format != Format::fp32;
  const std::int64_t conversion = converted ? kDequantiseFlops * 2 * tile_c * d : 0;
  meter.vector((kSoftmaxFlops * cut.rows * tile_c + conversion) * steps, cut.rows * tile_c * steps,
               meter.active_cores());
  const std::int64_t key_bytes = 2 * cache.bytes(1).count();  // of one KV head, with the values
  const std::int64_t step_bytes = tile_c * key_bytes;
  meter.local(step_bytes * steps, 2 * step_bytes * cut.tile_steps);

  // Of several sequences the windows lie apart; one stretch of the layer's cache stands for them.
  const std::vector<Sequence>& sequences = meter.step().sequences;
  const std::int64_t before =
      sequences.size() == 1 ? first_key_seen(meter.sliding_window(), sequences.front().context) : 0;
  const std::int64_t cached = 2 * bytes_of_tokens(cache, cut.keys);
  for (const int t : {kernel.inputs[1], kernel.inputs[2]}) {
    const std::int64_t base = meter.cache_base(t) + bytes_of_tokens(cache, before);
    meter.move({{base, cached / 2, 0, 0}, Cargo::cache, false});
  }
  meter.carry(std::max(cached, step_bytes * cut.tile_steps), cached);
}

}  // namespace presil
