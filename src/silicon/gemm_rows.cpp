#include "silicon/gemm_rows.h"

#include <cmath>
#include <map>
#include <memory>
#include <utility>

#include <fmt/format.h>

namespace presil::silicon {
namespace {

using kernels::GemmKernel;
using kernels::Machine;
using kernels::Residency;

/// Only this source's loop cycles through copies of one weight; the others run whole layers.
Residency residency_of(const Row& row) {
  return row.source == "ai-dynamo/aiconfigurator" ? Residency::cycling : Residency::streaming;
}

/// A row is timed by its host when it names the call that Python makes, not a kernel.
bool timed_by_host(const Row& row) {
  return row.kernel == "torch_matmul";
}

}  // namespace

std::variant<JudgedGemm, std::string> judge_gemm(const Row& row, const Machine& machine) {
  const auto types = kernels::gemm_types(row.dtype);
  if (!types) return fmt::format("type {} is unknown", row.dtype);
  if (row.m < 1 || row.n < 1 || row.k < 1) return std::string("a size is missing");
  if (machine.macs_per_cycle.empty()) return std::string("the chip has no matrix engine");

  GemmKernel kernel =
      kernels::gemm_kernel(row.backend, row.dtype, machine.generation, row.m, row.n, row.k);
  if (kernel == GemmKernel::library && timed_by_host(row)) kernel = GemmKernel::eager;
  return JudgedGemm{{row.backend, row.dtype, machine.generation, std::string(to_string(kernel))},
                    {row.m, row.n, row.k, *types, kernel},
                    residency_of(row)};
}

}  // namespace presil::silicon
