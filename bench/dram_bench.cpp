// How fast the memory is simulated: one pseudo-channel tick by tick, and a whole chip's decode step
// with and without shortcuts. Atoms (32 B) a second of CPU.

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

/// Blocks of `state.range(0)` bytes at random places; 0 is one sequential stream.
void channel_reads(benchmark::State& state) {
  const MemoryPart part = part_at("/test/dram/r-hbm3-1pc.yaml");
  const AddressMap map(part.mapping, part);
  const std::int64_t atoms = 1'000'000;
  const std::int64_t block = state.range(0) / part.atom().count();
  for (auto _ : state) {
    Channel channel(part, part.rate, {});
    std::uint64_t bits = 0x9E3779B97F4A7C15ULL;
    std::int64_t sent = 0, served = 0, base = 0;
    while (served < atoms) {
      if (sent < atoms && channel.has_room(false)) {
        if (block > 0 && sent % block == 0) base = random_block(bits, map.atoms() / block) * block;
        const std::int64_t at = block > 0 ? base + sent % block : sent % map.atoms();
        channel.accept(map.locate(at), false, 0);
        ++sent;
      }
      const Channel::Step step = channel.step();
      served += step.served;
      const bool can_send = sent < atoms && channel.has_room(false);
      if (!step.acted && !can_send) channel.skip_to(channel.next_event() - 1);
    }
  }
  state.SetItemsProcessed(state.iterations() * atoms);
}
BENCHMARK(channel_reads)->Arg(0)->Arg(64)->Arg(4096)->Unit(benchmark::kMillisecond);

/// 140 GB of weights through four HBM3E stacks, 6.5 MB at a time with four transfers in flight.
void decode_step(benchmark::State& state) {
  const MemoryPart part = part_at("/memories/hbm3e-9800-12h.yaml");
  Dram config;
  config.stacks = 4;
  config.rate = part.rate;
  const std::int64_t length = 200 * interleave_unit(part, config).count();
  const int transfers = 21'500;
  std::int64_t atoms = 0;
  for (auto _ : state) {
    Memory memory(part, config, state.range(0) != 0 ? Shortcuts::on : Shortcuts::off);
    Picoseconds now(0);
    for (int submitted = 0; submitted < transfers || memory.pending() > 0;) {
      for (; submitted < transfers && memory.pending() < 4; ++submitted) {
        const std::int64_t base = submitted * length % (memory.capacity().count() - length);
        memory.submit({{base / length * length, length, 0, 0}, false, 0, now});
      }
      now = memory.advance(Picoseconds(INT64_MAX / 4))->time;
    }
    atoms += memory.statistics().atoms / pseudo_channels(part, config);
  }
  state.SetItemsProcessed(atoms);
}
BENCHMARK(decode_step)->Arg(1)->Arg(0)->Unit(benchmark::kMillisecond)->Iterations(1);

}  // namespace
}  // namespace presil::dram

BENCHMARK_MAIN();
