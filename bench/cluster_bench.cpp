// How fast a whole service is simulated, in requests a second of CPU: reading the trace, the event
// loop, every metric; with step costs of a closed form in place of a table. docs/serving_speed.md
// says what the replica alone takes.
//
// The trace is azure2023_conv, repeated, at a mean rate of about 0.8 of what one replica takes.
// Run one at a time, on a quiet machine: build/release/bench/cluster_bench

#include <filesystem>

#include <benchmark/benchmark.h>

#include "serving/cluster/cluster.h"
#include "serving/load/load.h"

namespace presil::serving {
namespace {

/// Like Llama-3.1-8B on one A100: 9.5 ms for the weights, 86 us a token, 80 ns a token of context.
struct A100Like final : StepCosts {
  StepCost cost(const StepFeatures& step) const override {
    const Nanoseconds time(9'500'000 + 86'000 * step.prefill_tokens + 20'000 * step.decode_tokens +
                           80 * (step.prefill_context + step.decode_context));
    return {.time = time, .interval = time, .energy_j = 4, .flops = 1e12};
  }
};

/// Arguments: requests, replicas, router.
void service(benchmark::State& state) {
  const A100Like costs;
  const auto replicas = static_cast<int>(state.range(1));
  Cluster cluster;
  cluster.pools.resize(1);
  cluster.pools[0].engine.num_blocks = 27'000;
  cluster.pools[0].costs = &costs;
  cluster.pools[0].replicas = replicas;
  cluster.spec.router.routing = static_cast<Routing>(state.range(2));
  cluster.slo = parse_slo("p99_ttft<=2s,p99_tpot<=50ms");

  LoadSpec load;
  load.trace = "azure2023_conv";
  load.repeat = 1'000;
  load.requests = state.range(0);
  load.rate = PerSecond(6.0 * replicas);
  ServiceResult result;
  for (auto _ : state) {
    const auto source = open_load(load, std::filesystem::path(PRESIL_SOURCE_DIR), 1);
    result = simulate(cluster, *source);
  }
  state.SetItemsProcessed(state.iterations() * result.counts.completed);
  state.SetLabel(std::string(to_string(cluster.spec.router.routing)));
  state.counters["queue"] = result.queue.mean;
  state.counters["running"] = result.running.mean;
}
BENCHMARK(service)
    ->Args({1'000'000, 1, static_cast<long>(Routing::least_loaded)})
    ->Args({200'000, 16, static_cast<long>(Routing::least_loaded)})
    ->Args({200'000, 16, static_cast<long>(Routing::round_robin)})
    ->Args({200'000, 256, static_cast<long>(Routing::least_loaded)})
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace presil::serving

BENCHMARK_MAIN();
