// How fast a replica is simulated, in requests a second of CPU: the event loop alone, with step
// costs of a closed form in place of a table. docs/serving_speed.md has a table.
//
// Requests are like azure2023_conv: lognormal lengths with its means (1,155 tokens in, 211 out),
// Poisson arrivals. Costs are like those of Llama-3.1-8B on one A100. Run one at a time, on a quiet
// machine: build/release/bench/serving_bench

#include <algorithm>

#include <benchmark/benchmark.h>

#include "base/draws.h"
#include "base/elementary.h"
#include "serving/engine/replica.h"

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
  std::int64_t requests = 0, tokens = 0, steps = 0, gaps = 0, decodes = 0, preempted = 0;
  void finished(const RequestRecord& record) override {
    ++requests;
    tokens += record.output_tokens;
  }
  void stepped(const StepRecord& step) override {
    ++steps;
    decodes += step.features.decode_sequences;
    preempted += step.preempted;
  }
  void between_tokens(Nanoseconds, std::int64_t count, int) override { gaps += count; }
};

std::int64_t lognormal(std::uint64_t stream, std::int64_t id, double mean, double sigma,
                       double most) {
  Draws draws(1, stream, static_cast<std::uint64_t>(id));
  const double value = mean * exp_of(sigma * draws.normal() - sigma * sigma / 2);
  return static_cast<std::int64_t>(std::clamp(value, 1.0, most));
}

/// Sends `count` requests at `rate` a second; every `sharers` of them begin with the same 64
/// blocks, none when 0.
Counter serve(const EngineOptions& options, std::int64_t count, double rate, std::int64_t sharers) {
  const A100Like costs;
  Counter counter;
  Replica replica(0, options, costs, nullptr, counter);
  Draws gaps(1, 0, 0);
  Request request;
  double arrival = 0;
  for (std::int64_t id = 0; id < count; ++id) {
    arrival += gaps.exponential() / rate;
    request.id = id;
    request.arrival = to_nanoseconds(Seconds(arrival));
    request.prompt_tokens = lognormal(1, id, 1155, 0.9, 7000);
    request.output_tokens = lognormal(2, id, 211, 0.9, 1000);
    request.prefix.clear();
    if (sharers > 0) {
      request.prefix_block = 16;
      for (std::uint64_t i = 0; i < 64; ++i) {
        request.prefix.push_back(static_cast<std::uint64_t>(id / sharers) * 64 + i);
      }
    }
    for (Nanoseconds at = replica.next_event(); at < request.arrival; at = replica.next_event()) {
      replica.advance(at);
    }
    replica.submit(request, request.arrival);
    replica.advance(request.arrival);
  }
  replica.advance(kLongestService - Nanoseconds(1));
  return counter;
}

EngineOptions engine() {
  EngineOptions options;
  options.num_blocks = 27'000;  // 80 GB x 0.9 less the weights, at 2 MiB a block
  return options;
}

void report(benchmark::State& state, const Counter& counter, std::int64_t count) {
  state.SetItemsProcessed(state.iterations() * count);
  state.counters["steps"] = static_cast<double>(counter.steps) / static_cast<double>(count);
  state.counters["batch"] =
      static_cast<double>(counter.decodes) / static_cast<double>(counter.steps);
  state.counters["preempted"] = static_cast<double>(counter.preempted) / static_cast<double>(count);
}

/// Arguments: requests, their rate in tenths a second.
void replica(benchmark::State& state) {
  Counter counter;
  for (auto _ : state) {
    counter = serve(engine(), state.range(0), static_cast<double>(state.range(1)) / 10, 0);
  }
  report(state, counter, state.range(0));
}
BENCHMARK(replica)
    ->Args({100'000, 30})
    ->Args({100'000, 60})
    ->Args({100'000, 70})
    ->Args({1'000'000, 60})
    ->Unit(benchmark::kMillisecond);

/// 8 requests share 1,024 tokens: most prompts find a prefix, and the cache is full all the time.
void shared_prefixes(benchmark::State& state) {
  Counter counter;
  for (auto _ : state) counter = serve(engine(), 100'000, 6, 8);
  report(state, counter, 100'000);
}
BENCHMARK(shared_prefixes)->Unit(benchmark::kMillisecond);

/// A KV cache that is too small: sequences are preempted.
void few_blocks(benchmark::State& state) {
  EngineOptions options = engine();
  options.num_blocks = 3'000;
  Counter counter;
  for (auto _ : state) counter = serve(options, 100'000, 6, 0);
  report(state, counter, 100'000);
}
BENCHMARK(few_blocks)->Unit(benchmark::kMillisecond);

/// Three proposed tokens a step.
void speculation(benchmark::State& state) {
  EngineOptions options = engine();
  options.speculation = {.tokens = 3, .acceptance = 0.7};
  Counter counter;
  for (auto _ : state) counter = serve(options, 100'000, 6, 0);
  report(state, counter, 100'000);
}
BENCHMARK(speculation)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace presil::serving

BENCHMARK_MAIN();
