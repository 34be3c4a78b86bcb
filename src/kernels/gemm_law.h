// One product of a GPU library: C[m, n] = A[m, k] x B[k, n], in tiles, waves and splits of k.
#pragma once

#include <cstdint>
#include <optional>

#include "base/number_format.h"
#include "kernels/constants.h"
#include "kernels/law.h"
#include "kernels/machine.h"

namespace presil::kernels {

/// What a product multiplies and what happens to its activations on the way.
struct GemmTypes {
  Format multiply = Format::bf16;
  Format weights = Format::bf16;
  Scaling weight_scaling = Scaling::none;
  Format activations = Format::bf16;  // as the matrix engine takes them
  Scaling activation_scaling = Scaling::none;
  bool quantises = false;  // the kernel is handed bf16 and converts it first, inside its time
};

/// The types that the measured data, the engines and constants.yaml call "bf16", "fp16", "fp8"
/// (one scale a tensor), "fp8_block" (128 x 128), "int4_wo", "int8_wo" (weights only), "sq" (int8
/// SmoothQuant), "nvfp4", "mxfp4", "mxfp8", "int8"; nothing for another name.
std::optional<GemmTypes> gemm_types(std::string_view type);

struct GemmCall {
  std::int64_t m = 1, n = 1, k = 1;
  GemmTypes types;
};

/// A tile and a split that a library has, or that a mapping pins.
struct GemmTile {
  std::int64_t m = 128, n = 128, split = 1;
};

LawInfo gemm_law();

/// The bytes through DRAM; they depend on no fitted constant.
Traffic gemm_traffic(const GemmCall& call, const Machine& machine, Residency residency);

/// `dram_us` is what the traffic takes; the tile is chosen with it in view, unless it is pinned.
Terms gemm_terms(const GemmCall& call, const Machine& machine, Constants constants, double dram_us,
                 const std::optional<GemmTile>& pinned = {});

/// The tile that gemm_terms takes.
GemmTile gemm_tile(const GemmCall& call, const Machine& machine, Constants constants,
                   double dram_us);

}  // namespace presil::kernels
