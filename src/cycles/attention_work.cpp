#include <algorithm>

#include "base/integers.h"
#include "chip/engine_time.h"
#include "chip/vector_flops.h"
#include "cycles/operator_work.h"

namespace presil {
namespace {

struct AttentionCut {
  std::int64_t tile_steps = 0;  // (query tile, key tile) pairs, over sequences and KV heads
  std::int64_t keys = 0;
  std::int64_t pairs = 0;  // scored (query, key) pairs of one head
  std::int64_t rows = 1;   // of the largest query tile, over the heads that share keys
};

AttentionCut cut_of(const KernelMeter& meter, std::int64_t tile_c) {
  const Window window = meter.kernel().window;
  const std::int64_t kv_heads = meter.extent(Axis::h);
  const std::int64_t group = meter.extent(Axis::n) / kv_heads;
  const std::int64_t heads = meter.tile(Axis::n, group);  // of a tile
  AttentionCut cut;
  for (const Sequence& s : meter.step().sequences) {
    if (!is_in(meter.kernel().over, s)) continue;
    const std::int64_t tile_q = meter.tile(Axis::q, s.new_tokens);
    cut.rows = std::max(cut.rows, tile_q * heads);
    for (std::int64_t q = 0; q < s.new_tokens; q += tile_q) {
      // Keys that no query of the tile sees are skipped: later ones, and those before the window.
      const std::int64_t seen = window.both_ways ? s.new_tokens : q + tile_q;
      const std::int64_t last = s.context + std::min(seen, s.new_tokens);
      cut.tile_steps += kv_heads * ceil_div(group, heads) *
                        (ceil_div(last, tile_c) - first_key_seen(window, s.context + q) / tile_c);
    }
    const std::int64_t tokens = s.context + s.new_tokens;
    cut.keys += tokens - first_key_seen(window, s.context);
    cut.pairs += pairs_seen(window, tokens) - pairs_seen(window, s.context);
  }
  return cut;
}

/// What the keys and values are read from: two caches; one, whose keys hold the values (absorbed
/// latent attention); or an activation of keys and values side by side (expanded).
struct KeySource {
  std::int64_t value_width;
  std::int64_t bytes;  // of a key and its value, of one KV head
  bool is_cached;
};

KeySource source_of(const KernelMeter& meter) {
  const Kernel& kernel = meter.kernel();
  const std::int64_t d = meter.extent(Axis::d);
  const std::int64_t v = meter.extent(Axis::v) > 1 ? meter.extent(Axis::v) : d;
  const Tensor& keys = meter.tensor(kernel.inputs[1]);
  if (keys.role == Role::activation) return {v, bytes_of(keys.format, d + v).count(), false};
  const auto caches = static_cast<std::int64_t>(kernel.inputs.size()) - 1;
  return {v, caches * keys.bytes(1).count(), true};
}

/// The numbers of the pages that the sequences' keys lie in: 4 bytes each, as engines keep them.
std::int64_t page_table_bytes(const KernelMeter& meter) {
  const Step& step = meter.step();
  if (step.page_tokens <= 1) return 0;
  std::int64_t pages = 0;
  for (const Sequence& s : step.sequences) {
    if (is_in(meter.kernel().over, s)) {
      pages += ceil_div(s.context + s.new_tokens, step.page_tokens);
    }
  }
  return 4 * pages;
}

/// Returns the bytes that are read. Of several sequences the windows lie apart; one stretch of the
/// layer's cache stands for them.
std::int64_t read_caches(KernelMeter& meter, std::int64_t keys) {
  const Kernel& kernel = meter.kernel();
  const std::vector<Sequence>& sequences = meter.step().sequences;
  const std::int64_t before =
      sequences.size() == 1 ? first_key_seen(kernel.window, sequences.front().context) : 0;
  std::int64_t bytes = 0;
  for (std::size_t i = 1; i < kernel.inputs.size(); ++i) {
    const int t = kernel.inputs[i];
    const Tensor& cache = meter.tensor(t);
    const std::int64_t base = meter.cache_base(t) + bytes_of_tokens(cache, before);
    meter.move({{base, bytes_of_tokens(cache, keys), 0, 0}, Cargo::cache, false});
    bytes += bytes_of_tokens(cache, keys);
  }
  return bytes;
}

}  // namespace

void count_attention(KernelMeter& meter) {
  const Kernel& kernel = meter.kernel();
  const std::int64_t heads = meter.extent(Axis::n);
  const std::int64_t d = meter.extent(Axis::d);
  const std::int64_t tile_c = meter.tile(Axis::c, meter.extent(Axis::c));
  const AttentionCut cut = cut_of(meter, tile_c);
  const KeySource source = source_of(meter);
  const std::int64_t v = source.value_width;

  // Key tiles of one query tile go to several cores when there are cores to spare (flash
  // decoding); either way the steps are spread evenly.
  const std::int64_t cores = meter.chip().core.count;
  const std::int64_t steps = ceil_div(cut.tile_steps, cores);
  meter.run_on(steps, std::min(cut.tile_steps, cores));
  const MatrixEngine& engine = meter.chip().core.matrix;
  const CoreCycles step = matrix_cycles(engine, cut.rows, tile_c, d, kernel.multiply) +
                          matrix_cycles(engine, cut.rows, v, tile_c, kernel.multiply);
  meter.matrix(step * steps, heads * cut.pairs * (d + v));
  meter.useful(2 * heads * cut.pairs * (d + v));

  const Format stored = meter.tensor(kernel.inputs[1]).format;
  const bool converted = stored != kernel.multiply && stored != Format::fp32;
  const std::int64_t conversion = converted ? kDequantiseFlops * tile_c * (d + v) : 0;
  meter.vector((kSoftmaxFlops * cut.rows * tile_c + conversion) * steps, cut.rows * tile_c * steps,
               meter.active_cores());
  const std::int64_t step_bytes = tile_c * source.bytes;
  meter.local(step_bytes * steps, 2 * step_bytes * cut.tile_steps);

  if (source.is_cached) {
    const std::int64_t cached = read_caches(meter, cut.keys);
    meter.carry(std::max(cached, step_bytes * cut.tile_steps), cached);
    const std::int64_t table = page_table_bytes(meter);
    meter.carry(table, table);
  } else {
    // As an activation it is carried once; query tiles read it again.
    const std::int64_t once = meter.bytes(kernel.inputs[1]);
    meter.carry(std::max<std::int64_t>(0, step_bytes * cut.tile_steps - once), 0);
  }
}

}  // namespace presil
