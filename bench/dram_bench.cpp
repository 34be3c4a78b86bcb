// How fast the memory is simulated, in atoms a second of CPU: the three engines side by side, what
// the shortcuts of `fast` bring, and a whole chip's decode step. docs/dram_speed.md has a table.
//
// Each line that ends in /0 is the reference engine, /1 event, /2 fast. Run one at a time, on a
// quiet machine: build/release/bench/dram_bench

#include <benchmark/benchmark.h>

#include "chip/dram_shape.h"
#include "chip/library.h"
#include "dram/event/channel.h"
#include "dram/run/simulate.h"
#include "dram/transfers/memory.h"

namespace presil::dram {
namespace {

const std::string kHome = PRESIL_SOURCE_DIR;

MemoryPart part_named(const std::string& name) {
  return load_part(name, {}, kHome);
}

/// The golden configuration of one HBM3 pseudo-channel.
SimulationInput golden() {
  const DramFiles files = load_dram("", kHome + "/test/dram/r-hbm3-1pc.yaml", {}, kHome);
  return {.part = files.part, .config = files.dram};
}

SimulationInput shipped(const std::string& name, std::int64_t channels) {
  const DramFiles files = load_dram(name, "", {}, kHome);
  return {.part = files.part, .config = files.dram, .channels = channels};
}

void run(benchmark::State& state, SimulationInput input, const char* pattern, std::int64_t atoms,
         const char* writes = "0") {
  parse_pattern(pattern, input.workload);
  input.workload.atoms = atoms;
  input.workload.writes = parse_write_share(writes);
  for (auto _ : state) benchmark::DoNotOptimize(simulate(input).log_hash);
  state.SetItemsProcessed(state.iterations() * atoms);
}

void engines(benchmark::State& state, const char* pattern, const char* writes) {
  SimulationInput input = golden();
  input.engine = static_cast<Engine>(state.range(0));
  run(state, std::move(input), pattern, 1'000'000, writes);
}
BENCHMARK_CAPTURE(engines, sequential, "sequential", "0")
    ->DenseRange(0, 2)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(engines, random_64_B, "random", "0")
    ->DenseRange(0, 1)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(engines, blocks_4_KiB, "blocks:4096", "0")
    ->DenseRange(0, 1)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(engines, random_two_reads_a_write, "random", "1/3")
    ->DenseRange(0, 1)
    ->Unit(benchmark::kMillisecond);

/// The engine without a front end: what the loop of a simulator that embeds it costs.
void channel_alone(benchmark::State& state) {
  const SimulationInput input = golden();
  const AddressMap map(input.config.mapping, input.part);
  const std::int64_t atoms = 1'000'000;
  for (auto _ : state) {
    Channel channel(input.part, input.part.rate, policy_of(input.config));
    for (std::int64_t sent = 0, served = 0; served < atoms;) {
      if (sent < atoms && channel.has_room(0, false)) {
        channel.accept(0, map.locate(sent++ % map.atoms()), false, 0);
      }
      const bool can_send = sent < atoms && channel.has_room(0, false);
      if (!can_send) channel.skip_to(channel.next_event() - 1);
      served += channel.step().any;
    }
  }
  state.SetItemsProcessed(state.iterations() * atoms);
}
BENCHMARK(channel_alone)->Unit(benchmark::kMillisecond);

/// One pseudo-channel, 512 MiB, once over (16.8 M atoms) and 60 times.
void long_stream(benchmark::State& state) {
  SimulationInput input = golden();
  input.engine = static_cast<Engine>(state.range(1));
  run(state, std::move(input), "sequential", state.range(0));
}
BENCHMARK(long_stream)
    ->Args({16'777'216, 1})
    ->Args({16'777'216, 2})
    ->Args({1'000'000'000, 2})
    ->Unit(benchmark::kMillisecond);

/// 64 GB once through eight 36 GB stacks.
void eight_stacks(benchmark::State& state, const char* refresh) {
  SimulationInput input = shipped("hbm3e-9800-12h", 8 * 16);
  if (std::string_view(refresh) == "per_bank") input.config.refresh = Refresh::per_bank;
  run(state, std::move(input), "sequential", 2'000'000'000);
}
BENCHMARK_CAPTURE(eight_stacks, all_bank, "all_bank")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(eight_stacks, per_bank, "per_bank")->Unit(benchmark::kMillisecond);

/// Pages of a KV cache at random places, through all pseudo-channels of one stack.
void paged_kv(benchmark::State& state, const char* pattern) {
  run(state, shipped("hbm3-6400", 16), pattern, 16'000'000);
}
BENCHMARK_CAPTURE(paged_kv, 4_KiB, "blocks:4KiB")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(paged_kv, 16_KiB, "blocks:16KiB")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(paged_kv, 64_KiB, "blocks:64KiB")->Unit(benchmark::kMillisecond);

/// 14 GB of weights through four HBM3E stacks, 6.5 MB at a time with four transfers in flight, as
/// `cycles` reads them. Atoms of one channel.
void decode_step(benchmark::State& state) {
  const MemoryPart part = part_named("hbm3e-9800-12h");
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
