// The search for mappings: how long it takes a product, and how good its choice is: the four cuts
// that the closed form likes best, timed as a kernel on the chip with its DRAM. docs/mapping.md has
// the tables. Run on a quiet machine: build/release/bench/mapping_bench
#include <algorithm>
#include <ctime>
#include <utility>

#include <fmt/format.h>

#include "chip/dram_shape.h"
#include "chip/library.h"
#include "compiler/gemm_search.h"
#include "cycles/timeline.h"

namespace presil {
namespace {

const std::filesystem::path kHome = PRESIL_SOURCE_DIR;

double cpu_seconds() {
  return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

/// The product alone, with the weights of eight layers.
Program one_product(const GemmShape& s, const ChipFiles& files) {
  Program p;
  p.chip = p.model = "bench";
  p.cores = files.chip.core.count;
  p.local_memory = files.chip.core.sram.size;
  p.shared_memory = usable_shared_memory(files.chip);
  p.dram_capacity = dram_capacity(files.memory, files.chip.dram);
  p.dram_unit = interleave_unit(files.memory, files.chip.dram);
  p.max_context = std::int64_t{1} << 30;
  p.numerics.products.activations = Operand{s.activations, Scaling::none};
  const std::int64_t stride = stored_bytes(s.weights, s.scaling, s.n, s.k).count();
  p.weight_footprint = Bytes(8 * stride);
  p.tensors = {{"x", Role::activation, s.activations, Scaling::none, {1, Symbol::T}, s.k, 0, 0},
               {"blk.*.w", Role::weight, s.weights, s.scaling, {s.n, Symbol::one}, s.k, 0, stride},
               {"y", Role::activation, s.activations, Scaling::none, {1, Symbol::T}, s.n, 0, 0}};
  Kernel k;
  k.name = "product";
  k.multiply = s.multiply;
  k.inputs = {0};
  k.weights = {1};
  k.outputs = {2};
  k.extents[static_cast<std::size_t>(Axis::m)] = {1, Symbol::T};
  k.extents[static_cast<std::size_t>(Axis::n)] = {s.n, Symbol::one};
  k.extents[static_cast<std::size_t>(Axis::k)] = {s.k, Symbol::one};
  p.blocks = {{"layer", 8, {k}, 0}};
  return p;
}

/// Seconds of the product as the timeline has it, a layer.
double timed(Program program, const GemmCut& cut, const GemmShape& s, const ChipFiles& files) {
  program.blocks[0].kernels[0].mappings = {mapping_of(cut, s)};
  const Step step{{{s.m, 0}}};
  const BoundProgram bound = bind(program, step).value();
  return to_seconds(time_step(bound, files.chip, files.memory).total).count() / 8;
}

int run() {
  fmt::print("{:20} {:>6} {:>6} {:>6} {:>9} {:>7} {:>12} {:>12} {:>9}\n", "chip", "m", "n", "k",
             "search", "cuts", "closed form", "timeline", "of best 4");
  for (const char* name : {"artemis-hbm3e", "mtia-v1", "trainium2", "snapdragon-8-elite"}) {
    const ChipFiles files = load_chip(name, {}, kHome);
    for (const std::int64_t m : {1, 32, 512, 4096}) {
      for (const auto& [n, k] :
           {std::pair<std::int64_t, std::int64_t>{6144, 4096}, {28672, 4096}, {4096, 14336}}) {
        GemmShape shape;
        shape.m = m;
        shape.n = n;
        shape.k = k;
        shape.multiply = files.chip.core.matrix.macs_per_cycle.begin()->first;
        const GemmSearch search(shape, files.chip, peak_bandwidth(files.memory, files.chip.dram));
        constexpr int kRuns = 20;
        const double begin = cpu_seconds();
        GemmChoice found;
        for (int i = 0; i < kRuns; ++i) found = *search.best();
        const double searched = (cpu_seconds() - begin) / kRuns;

        std::vector<GemmChoice> all = search.all();
        std::stable_sort(all.begin(), all.end(), [](const GemmChoice& a, const GemmChoice& b) {
          return a.seconds < b.seconds;
        });
        const Program program = one_product(shape, files);
        const double chosen = timed(program, found.cut, shape, files);
        double best = chosen;
        for (std::size_t i = 0; i < std::min<std::size_t>(4, all.size()); ++i) {
          best = std::min(best, timed(program, all[i].cut, shape, files));
        }
        fmt::print("{:20} {:6} {:6} {:6} {:6.0f} us {:7} {:9.2f} us {:9.2f} us {:8.2f}%\n", name, m,
                   n, k, searched * 1e6, all.size(), found.seconds * 1e6, chosen * 1e6,
                   100 * (chosen / best - 1));
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
