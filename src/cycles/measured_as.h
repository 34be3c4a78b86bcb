// Which measured kernels one of ours is like, so that the error found on those can be put beside
// its time (kernels/uncertainty.h).
#pragma once

#include <compare>
#include <string>
#include <string_view>

#include "cycles/resource.h"
#include "kernels/uncertainty.h"
#include "program/bind.h"

namespace presil {

/// Kernels that the scoreboard would count together.
struct ErrorClass {
  std::string_view law;  // "gemm", "prefill", "decode", "collective"; "": nobody measured the like
  std::string type;      // of numbers: "bf16", "fp8_block", "bf16/fp8"
  kernels::Regime regime = kernels::Regime::launch;
  auto operator<=>(const ErrorClass&) const = default;
};

/// The class of a kernel but for its regime, which its time decides.
ErrorClass error_class(const BoundProgram& bound, const BoundKernel& kernel);

/// What a time that is mostly charged to `resource` is bound by.
kernels::Regime regime_of(Resource resource);

/// The name of a product's number type in constants.yaml: see kernels::gemm_types.
std::string_view gemm_type(const Program& program, const Kernel& kernel);

/// Whether each of the step's sequences that the kernel works on has one new token behind others.
bool is_decode(const Step& step, const Kernel& kernel);

}  // namespace presil
