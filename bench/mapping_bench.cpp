// How long the search for a mapping takes: one product after another, on chips of several kinds.
// docs/mapping.md has a table. Run on a quiet machine: build/release/bench/mapping_bench
#include <ctime>

#include <fmt/format.h>

#include "chip/dram_shape.h"
#include "chip/library.h"
#include "compiler/gemm_search.h"

namespace presil {
namespace {

const std::filesystem::path kHome = PRESIL_SOURCE_DIR;

double cpu_seconds() {
  return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

int run() {
  fmt::print("{:20} {:>6} {:>6} {:>6}  {:>9} {:>9}  {:>10}\n", "chip", "m", "n", "k", "search",
             "all cuts", "time");
  for (const char* name : {"artemis-hbm3e", "mtia-v1", "trainium2", "snapdragon-8-elite"}) {
    const ChipFiles files = load_chip(name, {}, kHome);
    for (const std::int64_t m : {1, 32, 512, 8192}) {
      for (const auto& [n, k] : {std::pair<std::int64_t, std::int64_t>{6144, 4096},
                                 {28672, 4096},
                                 {4096, 14336},
                                 {128256, 4096}}) {
        GemmShape shape;
        shape.m = m;
        shape.n = n;
        shape.k = k;
        shape.multiply = files.chip.core.matrix.macs_per_cycle.begin()->first;
        const GemmSearch search(shape, files.chip, peak_bandwidth(files.memory, files.chip.dram));
        constexpr int kRuns = 20;
        const double begin = cpu_seconds();
        double found = 0;
        for (int i = 0; i < kRuns; ++i) found = search.best()->seconds;
        const double middle = cpu_seconds();
        const double best = search.best_of_all()->seconds;
        const double end = cpu_seconds();
        fmt::print("{:20} {:6} {:6} {:6}  {:6.0f} us {:6.1f} ms  {:7.2f} us{}\n", name, m, n, k,
                   (middle - begin) / kRuns * 1e6, (end - middle) * 1e3, found * 1e6,
                   found > best * (1 + 1e-6) ? "  NOT THE BEST" : "");
      }
    }
  }
  return 0;
}

}  // namespace
}  // namespace presil

int main() {
  return presil::run();
}
