// The names of types and kernels, and which kernel an engine takes.
#include <utility>

#include "kernels/gemm_law.h"

namespace presil::kernels {
namespace {

using enum Format;

constexpr std::pair<std::string_view, GemmTypes> kTypes[] = {
    {"bf16", {}},
    {"fp16", {fp16, fp16, Scaling::none, fp16, Scaling::none, false}},
    {"fp8", {fp8_e4m3, fp8_e4m3, Scaling::tensor, fp8_e4m3, Scaling::tensor, true}},
    {"fp8_block", {fp8_e4m3, fp8_e4m3, Scaling::block_128, fp8_e4m3, Scaling::group_128, true}},
    {"int4_wo", {fp16, int4, Scaling::group_128, fp16, Scaling::none, false}},
    {"int8_wo", {fp16, int8, Scaling::channel, fp16, Scaling::none, false}},
    {"sq", {int8, int8, Scaling::channel, int8, Scaling::token, false}},
    {"int8", {int8, int8, Scaling::channel, int8, Scaling::token, true}},
    {"nvfp4", {fp4_e2m1, fp4_e2m1, Scaling::nv_16, fp4_e2m1, Scaling::nv_16, true}},
    {"mxfp4", {fp4_e2m1, fp4_e2m1, Scaling::mx_32, fp4_e2m1, Scaling::mx_32, true}},
    {"mxfp8", {fp8_e4m3, fp8_e4m3, Scaling::mx_32, fp8_e4m3, Scaling::mx_32, true}},
};

constexpr std::pair<GemmKernel, std::string_view> kNames[] = {
    {GemmKernel::library, "library"},         {GemmKernel::eager, "eager"},
    {GemmKernel::rocblas, "rocblas"},         {GemmKernel::cutlass, "cutlass"},
    {GemmKernel::sgl_cutlass, "sgl_cutlass"}, {GemmKernel::blocks, "blocks"},
    {GemmKernel::tall_blocks, "tall_blocks"}, {GemmKernel::swapped, "swapped"},
    {GemmKernel::flashinfer, "flashinfer"},   {GemmKernel::cutlass_block, "cutlass_block"},
};

}  // namespace

std::optional<GemmTypes> gemm_types(std::string_view type) {
  for (const auto& [name, types] : kTypes) {
    if (name == type) return types;
  }
  return std::nullopt;
}

std::string_view to_string(GemmKernel kernel) {
  for (const auto& [value, name] : kNames) {
    if (value == kernel) return name;
  }
  return "library";
}

GemmKernel gemm_kernel(std::string_view engine, std::string_view type, std::string_view generation,
                       std::int64_t m, std::int64_t n, std::int64_t k) {
  if (generation == "mfma") return GemmKernel::rocblas;
  if (type == "fp8") {
    if (engine == "sglang") return GemmKernel::sgl_cutlass;
    return engine == "vllm" ? GemmKernel::cutlass : GemmKernel::library;
  }
  if (type != "fp8_block") return GemmKernel::library;
  if (engine == "vllm") {
    if (n % 64 != 0 || k % 128 != 0) return GemmKernel::cutlass_block;
    return m < 32 ? GemmKernel::flashinfer : GemmKernel::tall_blocks;
  }
  if (engine != "trtllm") return GemmKernel::tall_blocks;
  return m < 32 ? GemmKernel::swapped : GemmKernel::blocks;
}

}  // namespace presil::kernels
