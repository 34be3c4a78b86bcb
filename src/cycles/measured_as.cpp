#include "cycles/measured_as.h"

#include <algorithm>

#include "kernels/attention_law.h"

namespace presil {
namespace {

std::string_view type_of(Format multiply, Format weights, Scaling of_weights,
                         Scaling of_activations) {
  const auto scaled = [&](Scaling s) { return of_weights == s || of_activations == s; };
  switch (multiply) {
    case Format::fp8_e4m3:
    case Format::fp8_e5m2:
      if (scaled(Scaling::mx_32)) return "mxfp8";
      return scaled(Scaling::block_128) || scaled(Scaling::group_128) ? "fp8_block" : "fp8";
    case Format::fp4_e2m1:
      return scaled(Scaling::mx_32) ? "mxfp4" : "nvfp4";
    case Format::int8:
      return is_block_format(weights) ? "int8" : "sq";
    default:
      break;
  }
  const double bits = 8.0 * static_cast<double>(bytes_of(weights, 256).count()) / 256;
  if (bits < 6) return "int4_wo";
  if (bits < 12) return "int8_wo";
  return multiply == Format::fp16 ? "fp16" : "bf16";
}

}  // namespace

std::string_view gemm_type(const Program& program, const Kernel& kernel) {
  const Tensor& weights = program.tensor(kernel.weights.front());
  const ProductNumerics& numerics = products_of(program, kernel);
  return type_of(kernel.multiply, weights.format, weights.scaling,
                 numerics.activations ? numerics.activations->scaling : Scaling::none);
}

kernels::Regime regime_of(Resource resource) {
  switch (resource) {
    case Resource::dram:
    case Resource::sram:
    case Resource::dma:
      return kernels::Regime::memory;
    case Resource::matrix:
    case Resource::vector:
    case Resource::noc:
    case Resource::die_link:
    case Resource::power:
      return kernels::Regime::compute;
    case Resource::link:
      return kernels::Regime::link;
    case Resource::launch:
      return kernels::Regime::launch;
  }
  return kernels::Regime::launch;
}

bool is_decode(const Step& step, const Kernel& kernel) {
  return std::all_of(step.sequences.begin(), step.sequences.end(), [&](const Sequence& s) {
    return !is_in(kernel.over, s) || (s.new_tokens == 1 && s.context > 0);
  });
}

ErrorClass error_class(const BoundProgram& bound, const BoundKernel& b) {
  const Kernel& k = *b.kernel;
  switch (k.op) {
    case Op::gemm:
    case Op::grouped_gemm:
      return {"gemm", std::string(gemm_type(*bound.program, k))};
    case Op::attention:
      return {is_decode(bound.step, k) ? "decode" : "prefill",
              kernels::attention_type(k.multiply, bound.program->tensor(k.inputs[1]).format)};
    case Op::all_reduce:
    case Op::all_gather:
    case Op::reduce_scatter:
    case Op::all_to_all:
    case Op::send_recv:
      return {"collective", "any"};
    default:
      return {};
  }
}

}  // namespace presil
