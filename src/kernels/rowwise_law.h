// Kernels that pass over rows once: norms, RoPE, activations, gathers, samplers. No measured row
// has one alone, so the constants are estimates: what a lone kernel costs in a graph, and the share
// of bandwidth that a plain copy reaches.
#pragma once

#include "kernels/law.h"
#include "kernels/machine.h"

namespace presil::kernels {

struct RowwiseCall {
  double elements = 0;
  double flops_an_element = 1;
  double cache_bytes = 0;  // that stay on the chip: read and written through the last-level cache
};

Terms rowwise_terms(const RowwiseCall& call, const Machine& machine);

}  // namespace presil::kernels
