#include <cmath>
#include <string_view>

#include <fmt/format.h>

#include "base/integers.h"
#include "chip/gemm_demand.h"
#include "cycles/operator_work.h"
#include "program/moe.h"

namespace presil {
namespace {

constexpr std::int64_t kMostPasses = 1 << 20;  // each is a stream of its own

Finish finish_of(Epilogue epilogue) {
  switch (epilogue) {
    case Epilogue::none:
      return Finish::store;
    case Epilogue::add:
      return Finish::add;
    case Epilogue::swiglu:
      return Finish::gate;
    case Epilogue::gelu:
      return Finish::gelu;
  }
  return Finish::store;
}

/// A product, or as many as there are experts to which tokens went.
struct Products {
  GemmOperands operands;
  std::int64_t rows = 0;  // of all groups
};

Products products_to_count(const KernelMeter& meter) {
  const Kernel& kernel = meter.kernel();
  Products p;
  GemmOperands& g = p.operands;
  g.m = p.rows = meter.extent(Axis::m);
  g.n = meter.extent(Axis::n);
  g.k = meter.extent(Axis::k);
  g.weight_bytes = meter.weight_bytes();
  if (kernel.op == Op::grouped_gemm) {
    const ExpertLoad load = expert_load(kernel, meter.step());
    g.m = load.rows;
    p.rows = load.pairs;
    g.groups = static_cast<std::int64_t>(std::ceil(load.touched));
    const double share = load.touched / static_cast<double>(load.experts);
    g.weight_bytes = static_cast<std::int64_t>(static_cast<double>(g.weight_bytes) * share);
  }
  g.input_bytes = p.rows * bytes_of(meter.tensor(kernel.inputs.front()).format, g.k).count();
  g.multiply = kernel.multiply;
  g.vector =
      tile_vector(products_of(meter.program(), kernel), meter.tensor(kernel.weights.front()).format,
                  kernel.multiply, finish_of(kernel.epilogue));
  return p;
}

GemmCut cut_of(const KernelMeter& meter, const GemmOperands& g) {
  const Mapping& mapping = meter.mapping();
  GemmCut c;
  c.m = meter.tile(Axis::m, g.m);
  c.n = meter.tile(Axis::n, g.n);
  c.k = meter.tile(Axis::k, g.k);
  c.split = mapping.split_k;
  c.strips_of_rows = mapping.strip().axis == Axis::m;
  c.strip = ceil_div(mapping.strip().elements, c.strips_of_rows ? c.m : c.n);
  c.last_n = mapping.last_n;
  c.overlapped = mapping.buffers > 1;
  return c;
}

std::int64_t checked(std::int64_t passes, const KernelMeter& meter, std::string_view operand) {
  if (passes <= kMostPasses) return passes;
  throw LimitReached(fmt::format("{}: {} reads its {} {} times; at most {} are simulated",
                                 meter.chip().name, meter.kernel().name, operand, passes,
                                 kMostPasses));
}

/// Inputs that wait in DRAM come again where the cut wants them again. Their first pass is counted
/// with all activations.
void read_inputs_again(KernelMeter& meter, std::int64_t passes) {
  const int input = meter.kernel().inputs.front();
  if (meter.placement(input).level != Level::dram) return;
  for (std::int64_t p = 1; p < checked(passes, meter, "inputs"); ++p) {
    meter.move(
        {{meter.placement(input).address, meter.bytes(input), 0, 0}, Cargo::activations, false});
  }
}

}  // namespace

void count_gemm(KernelMeter& meter) {
  const Products p = products_to_count(meter);
  const GemmOperands& g = p.operands;
  const GemmCut c = cut_of(meter, g);
  const GemmDemand d = gemm_demand(g, c, meter.chip());
  meter.run_on(d.waves * d.k_steps, d.active_cores, d.busy_share);
  meter.overlap_loads(c.overlapped);
  meter.matrix(d.matrix, p.rows * g.n * g.k);
  meter.useful(2 * p.rows * g.n * g.k);
  meter.local(d.fed_bytes, d.carried_bytes + d.all_fed_bytes);  // written by the DMA, read
  meter.read_weights(checked(d.weight_passes, meter, "weights"), g.weight_bytes);
  read_inputs_again(meter, d.input_passes);
  meter.carry(d.carried_bytes, d.unique_bytes);
  meter.vector(d.vector_flops, d.exps, d.active_cores);
  if (d.partial_sums == 0) return;
  // Partial sums travel once, out and in, to the core that adds them.
  meter.carry(2 * 4 * d.partial_sums, 2 * 4 * d.partial_sums);
  meter.vector(d.partial_sums / d.active_cores, 0, d.active_cores);
}

}  // namespace presil
