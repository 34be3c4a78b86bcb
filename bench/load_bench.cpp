// How long a million requests take to stream: from the shipped traces, repeated, and drawn.
#include <benchmark/benchmark.h>

#include "serving/load/load.h"

namespace {

using presil::serving::LoadSpec;

constexpr std::int64_t kRequests = 1'000'000;

void stream_all(benchmark::State& state, const LoadSpec& spec) {
  for (auto _ : state) {
    const auto source = presil::serving::open_load(spec, PRESIL_SOURCE_DIR, 1);
    std::int64_t requests = 0;
    while (source->next()) ++requests;
    if (requests != kRequests) state.SkipWithError("the load has fewer requests");
  }
  state.counters["requests/s"] = benchmark::Counter(
      static_cast<double>(kRequests * state.iterations()), benchmark::Counter::kIsRate);
}

void trace(benchmark::State& state, const char* name) {
  LoadSpec spec;
  spec.trace = name;
  spec.repeat = kRequests;  // more rounds than it takes
  spec.requests = kRequests;
  spec.rate = presil::PerSecond(4);
  stream_all(state, spec);
}

void drawn(benchmark::State& state) {
  LoadSpec spec;
  spec.lengths = {presil::serving::lognormal_by_quantiles(1000, 4000),
                  presil::serving::lognormal_by_quantiles(130, 600)};
  spec.requests = kRequests;
  spec.rate = presil::PerSecond(4);
  stream_all(state, spec);
}

BENCHMARK_CAPTURE(trace, azure_conv, "azure2023_conv")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(trace, azure_code, "azure2023_code")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(trace, mooncake_conversation, "mooncake_conversation")
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(trace, mooncake_synthetic, "mooncake_synthetic")->Unit(benchmark::kMillisecond);
BENCHMARK(drawn)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
