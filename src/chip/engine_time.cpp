#include "chip/engine_time.h"

#include <algorithm>
#include <cmath>

#include "base/integers.h"

namespace presil {

CoreCycles whole_cycles(double cycles) {
  constexpr double kMost = 1e15;
  return CoreCycles(static_cast<std::int64_t>(std::ceil(std::min(cycles, kMost))));
}

CoreCycles matrix_cycles(const MatrixEngine& e, std::int64_t m, std::int64_t n, std::int64_t k,
                         Format format) {
  const auto rate = e.macs_per_cycle.find(format);
  CHECK(rate != e.macs_per_cycle.end(), "the compiler chose a format that the engine has");
  const std::int64_t blocks_n = ceil_div(n, e.n);
  const std::int64_t blocks_k = ceil_div(k, e.k);
  switch (e.dataflow) {
    case Dataflow::output_stationary: {
      const auto macs =
          static_cast<double>(ceil_div(m, e.m) * e.m * blocks_n * e.n * blocks_k * e.k);
      return whole_cycles(macs / rate->second);
    }
    case Dataflow::weight_stationary: {
      const auto rows = static_cast<double>(std::max(m, e.m));
      const double stream = rows * static_cast<double>(e.n * e.k) / rate->second;
      const auto preload = static_cast<double>(e.preload_cycles);
      const double block = e.preload_overlapped ? std::max(stream, preload) : stream + preload;
      return whole_cycles(static_cast<double>(blocks_n * blocks_k) * block);
    }
  }
  return CoreCycles(0);
}

CoreCycles vector_cycles(const VectorEngine& e, std::int64_t flops, std::int64_t exps) {
  return whole_cycles(static_cast<double>(flops) / e.flops_per_cycle +
                      static_cast<double>(exps) / e.exp_per_cycle);
}

Hertz matrix_clock(const Core& core) {
  return core.matrix.clock.value_or(core.clock);
}
Hertz vector_clock(const Core& core) {
  return core.vector.clock.value_or(core.clock);
}

std::optional<Format> first_supported(const MatrixEngine& engine, std::span<const Format> wanted) {
  for (const Format f : wanted) {
    if (engine.macs_per_cycle.contains(f)) return f;
  }
  return std::nullopt;
}

}  // namespace presil
