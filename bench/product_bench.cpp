// How fast ggml's products are, in multiply-adds and bytes of weights a second of wall time on all
// cores, by the format of the weights and the rows of activations (1: decode, the weights come from
// memory; 64: prefill). Run on a quiet machine: build/release/bench/product_bench

#include <benchmark/benchmark.h>

#include <random>
#include <vector>

#include "values/ggml/ggml_product.h"

namespace presil {
namespace {

constexpr std::int64_t kRows = 12288, kColumns = 4096;  // too large for caches

void product(benchmark::State& state, Format format) {
  const FormatInfo& layout = info(format);
  const std::int64_t m = state.range(0);
  std::mt19937 random(1);
  std::vector<std::uint32_t> words(
      static_cast<std::size_t>(kRows * kColumns / layout.block_elements * layout.block_bytes / 4));
  for (std::uint32_t& w : words) w = static_cast<std::uint32_t>(random());
  WeightTensor tensor;
  tensor.format = format;
  tensor.shape = {kRows, kColumns};
  tensor.data = std::as_bytes(std::span(words));
  const PreparedWeight weight(WeightView(tensor), ProductNumerics{});
  std::vector<float> input(static_cast<std::size_t>(m * kColumns));
  for (float& v : input) v = static_cast<float>(static_cast<std::int32_t>(random())) * 0x1p-31f;
  std::vector<float> out(static_cast<std::size_t>(m * kRows));

  for (auto _ : state) {
    ggml_product(weight, {.tile = 1024}, input, out, kRows);
    benchmark::DoNotOptimize(out.data());
  }
  using benchmark::Counter;
  const auto rate = [](double of_one) {
    return Counter(of_one, Counter::kIsIterationInvariantRate);
  };
  state.counters["MAC/s"] = rate(static_cast<double>(m * kRows * kColumns));
  state.counters["weight_B/s"] = rate(static_cast<double>(std::span(words).size_bytes()));
}
BENCHMARK_CAPTURE(product, q8_0, Format::q8_0)->Arg(1)->Arg(8)->Arg(64)->UseRealTime();
BENCHMARK_CAPTURE(product, q4_0, Format::q4_0)->Arg(1)->Arg(8)->Arg(64)->UseRealTime();
BENCHMARK_CAPTURE(product, q4_1, Format::q4_1)->Arg(1)->Arg(8)->Arg(64)->UseRealTime();
BENCHMARK_CAPTURE(product, q5_0, Format::q5_0)->Arg(1)->Arg(8)->Arg(64)->UseRealTime();
BENCHMARK_CAPTURE(product, q5_1, Format::q5_1)->Arg(1)->Arg(8)->Arg(64)->UseRealTime();
BENCHMARK_CAPTURE(product, q4_K, Format::q4_K)->Arg(1)->Arg(8)->Arg(64)->UseRealTime();
BENCHMARK_CAPTURE(product, q5_K, Format::q5_K)->Arg(1)->Arg(8)->Arg(64)->UseRealTime();
BENCHMARK_CAPTURE(product, q6_K, Format::q6_K)->Arg(1)->Arg(8)->Arg(64)->UseRealTime();
BENCHMARK_CAPTURE(product, fp16, Format::fp16)->Arg(1)->Arg(8)->UseRealTime();
BENCHMARK_CAPTURE(product, fp32, Format::fp32)->Arg(1)->Arg(8)->UseRealTime();

}  // namespace
}  // namespace presil

BENCHMARK_MAIN();
