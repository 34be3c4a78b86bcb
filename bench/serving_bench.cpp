// How fast a replica is simulated, in requests a second of CPU: the event loop alone, with step
// costs of a closed form in place of a table. docs/serving_speed.md has a table.
//
// Costs are like those of Llama-3.1-8B on one A100. Run one at a time, on a quiet machine:
// build/release/bench/serving_bench

#include <benchmark/benchmark.h>

#include "serving/cluster/cluster.h"
#include "serving/engine/replica.h"
#include "serving/load/load.h"

namespace presil::serving {
namespace {

/// 9.5 ms for the weights, 86 us a token, 80 ns a token of context.
struct A100Like final : StepCosts {
  StepCost cost(const StepFeatures& step) const override {
    const Nanoseconds time(9'500'000 + 86'000 * step.prefill_tokens + 20'000 * step.decode_tokens +
                           80 * (step.prefill_context + step.decode_context));
    return {.time = time, .interval = time};
  }
};

struct Counter final : Observer {
  std::int64_t requests = 0, prompts = 0, cached = 0, steps = 0, gaps = 0, decodes = 0;
  std::int64_t preempted = 0;
  Nanoseconds last;
  void finished(const RequestRecord& record) override {
    ++requests;
    prompts += record.prompt_tokens;
    cached += record.cached_tokens;
    last = record.last_token;
  }
  void stepped(const StepRecord& step) override {
    ++steps;
    decodes += step.features.decode_sequences;
    preempted += step.preempted;
  }
  void between_tokens(Nanoseconds, std::int64_t count, int) override { gaps += count; }
};

LoadSpec trace(const std::string& name, std::int64_t rounds) {
  LoadSpec spec;
  spec.trace = name;
  spec.repeat = rounds;
  return spec;
}

/// Serves what comes, as the cluster does with one replica.
Counter serve(const EngineOptions& options, const LoadSpec& spec) {
  const A100Like costs;
  Counter counter;
  Replica replica(0, options, costs, nullptr, counter);
  const auto source = open_load(spec, PRESIL_SOURCE_DIR, 1);
  while (const auto request = source->next()) {
    for (Nanoseconds at = replica.next_event(); at < request->arrival; at = replica.next_event()) {
      replica.advance(at);
    }
    replica.submit(*request, request->arrival);
    replica.advance(request->arrival);
  }
  replica.advance(kLongestService - Nanoseconds(1));
  return counter;
}

/// Requests a second when all of them wait from the start.
double saturation(const EngineOptions& options, LoadSpec spec) {
  spec.repeat = 1;
  spec.requests = 5'000;
  spec = with_rate(spec, PerSecond(1e6));
  const Counter counter = serve(options, spec);
  return static_cast<double>(counter.requests) / to_seconds(counter.last).count();
}

EngineOptions engine() {
  EngineOptions options;
  options.num_blocks = 27'000;  // 80 GB x 0.9 less the weights, at 2 MiB a block
  return options;
}

/// `share` of saturation.
void run(benchmark::State& state, const EngineOptions& options, const LoadSpec& spec,
         double share) {
  const double rate = share * saturation(options, spec);
  const LoadSpec scaled = with_rate(spec, PerSecond(rate));
  Counter counter;
  for (auto _ : state) counter = serve(options, scaled);
  state.SetItemsProcessed(state.iterations() * counter.requests);
  const auto requests = static_cast<double>(counter.requests);
  state.counters["rate"] = rate;
  state.counters["steps"] = static_cast<double>(counter.steps) / requests;
  state.counters["batch"] =
      static_cast<double>(counter.decodes) / static_cast<double>(counter.steps);
  state.counters["preempted"] = static_cast<double>(counter.preempted) / requests;
  state.counters["cached"] =
      static_cast<double>(counter.cached) / static_cast<double>(counter.prompts);
}

/// Arguments: rounds of the trace, percent of saturation.
void azure_conv(benchmark::State& state) {
  run(state, engine(), trace("azure2023_conv", state.range(0)),
      static_cast<double>(state.range(1)) / 100);
}
BENCHMARK(azure_conv)
    ->Args({5, 40})
    ->Args({5, 80})
    ->Args({5, 95})
    ->Args({52, 80})
    ->Unit(benchmark::kMillisecond);

/// The same through router, gate and metrics: a whole service of one replica, as `presil serve`.
void azure_conv_service(benchmark::State& state) {
  const A100Like costs;
  const LoadSpec spec = trace("azure2023_conv", 5);
  const double rate = 0.8 * saturation(engine(), spec);
  Cluster cluster;
  Pool& pool = cluster.pools.emplace_back();
  pool.name = "a100";
  pool.engine = engine();
  pool.costs = &costs;
  std::int64_t requests = 0;
  for (auto _ : state) {
    const auto load = open_load(with_rate(spec, PerSecond(rate)), PRESIL_SOURCE_DIR, 1);
    requests += simulate(cluster, *load).counts.requests;
  }
  state.SetItemsProcessed(requests);
}
BENCHMARK(azure_conv_service)->Unit(benchmark::kMillisecond);

/// Reading the trace and nothing else: a part of the above.
void azure_conv_read(benchmark::State& state) {
  std::int64_t count = 0;
  for (auto _ : state) {
    const auto source = open_load(trace("azure2023_conv", 5), PRESIL_SOURCE_DIR, 1);
    while (source->next()) ++count;
  }
  state.SetItemsProcessed(count);
}
BENCHMARK(azure_conv_read)->Unit(benchmark::kMillisecond);

/// A KV cache that is too small: sequences are preempted.
void azure_conv_few_blocks(benchmark::State& state) {
  EngineOptions options = engine();
  options.num_blocks = 3'000;
  run(state, options, trace("azure2023_conv", 5), 0.8);
}
BENCHMARK(azure_conv_few_blocks)->Unit(benchmark::kMillisecond);

/// Three proposed tokens a step.
void azure_conv_speculation(benchmark::State& state) {
  EngineOptions options = engine();
  options.speculation = {.tokens = 3, .acceptance = 0.7};
  run(state, options, trace("azure2023_conv", 5), 0.8);
}
BENCHMARK(azure_conv_speculation)->Unit(benchmark::kMillisecond);

/// Prompts of 12,000 tokens, 750 blocks, whose beginnings are shared: the prefix cache at work.
void mooncake_conversation(benchmark::State& state) {
  EngineOptions options = engine();
  options.max_model_len = 131'072;
  run(state, options, trace("mooncake_conversation", 1), 0.8);
}
BENCHMARK(mooncake_conversation)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace presil::serving

BENCHMARK_MAIN();
