// How fast the memory is simulated, in atoms (32 B) a second of CPU: one pseudo-channel of HBM3
// with the golden streams, and a whole chip's decode step.

#include <benchmark/benchmark.h>

#include "chip/dram_shape.h"
#include "chip/library.h"
#include "dram/channel.h"
#include "dram/memory.h"

namespace presil::dram {
namespace {

/// A part, or the part of a memory system with that system's mapping.
MemoryPart part_at(const std::string& path) {
  const std::string home = PRESIL_SOURCE_DIR;
  DramFiles files = load_dram(home + path, "", {}, home);
  if (!files.dram.mapping.empty()) files.part.mapping = files.dram.mapping;
  return files.part;
}

std::int64_t random_block(std::uint64_t& bits, std::int64_t blocks) {
  bits ^= bits << 13, bits ^= bits >> 7, bits ^= bits << 17;
  return static_cast<std::int64_t>((bits >> 20) % static_cast<std::uint64_t>(blocks));
}

/// Blocks of `state.range(0)` bytes at random places, 0 is one sequential stream; every
/// `state.range(1)`-th block is a write.
void channel_reads(benchmark::State& state) {
  const MemoryPart part = part_at("/test/dram/r-hbm3-1pc.yaml");
  const AddressMap map(part.mapping, part);
  const std::int64_t atoms = 1'000'000;
  const std::int64_t block = state.range(0) / part.atom().count();
  const std::int64_t writes = state.range(1);
  for (auto _ : state) {
    Channel channel(part, part.rate, {});
    std::uint64_t bits = 0x9E3779B97F4A7C15ULL;
    std::int64_t sent = 0, served = 0, base = 0;
    bool write = false;
    const auto draw = [&] {
      if (block > 0 && sent % block == 0) {
        base = random_block(bits, map.atoms() / block) * block;
        write = writes > 0 && sent / block % writes == writes - 1;
      }
    };
    draw();
    while (served < atoms) {
      if (sent < atoms && channel.has_room(0, write)) {
        const std::int64_t at = block > 0 ? base + sent % block : sent % map.atoms();
        channel.accept(0, map.locate(at), write, 0);
        ++sent;
        draw();
      }
      const bool can_send = sent < atoms && channel.has_room(0, write);
      if (!can_send) channel.skip_to(channel.next_event() - 1);
      served += channel.step().any;
    }
  }
  state.SetItemsProcessed(state.iterations() * atoms);
}
BENCHMARK(channel_reads)
    ->Args({0, 0})
    ->Args({64, 0})
    ->Args({4096, 0})
    ->Args({64, 3})
    ->Unit(benchmark::kMillisecond);

/// 140 GB of weights through four HBM3E stacks, 6.5 MB at a time with four transfers in flight.
void decode_step(benchmark::State& state) {
  const MemoryPart part = part_at("/memories/hbm3e-9800-12h.yaml");
  Dram config;
  config.stacks = 4;
  config.rate = part.rate;
  const std::int64_t length = 200 * interleave_unit(part, config).count();
  const int transfers = 2'150;
  std::int64_t atoms = 0;
  for (auto _ : state) {
    Memory memory(part, config);
    Picoseconds now(0);
    for (int submitted = 0; submitted < transfers || memory.pending() > 0;) {
      for (; submitted < transfers && memory.pending() < 4; ++submitted) {
        const std::int64_t base = submitted * length % (memory.capacity().count() - length);
        memory.submit({{base / length * length, length, 0, 0}, false, 0, now});
      }
      now = memory.advance(Picoseconds(INT64_MAX / 4))->time;
    }
    atoms += memory.statistics().atoms / (config.stacks * part.channels);
  }
  state.SetItemsProcessed(atoms);
}
BENCHMARK(decode_step)->Unit(benchmark::kMillisecond)->Iterations(1);

}  // namespace
}  // namespace presil::dram

BENCHMARK_MAIN();
