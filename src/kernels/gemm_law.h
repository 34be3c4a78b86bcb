// One product of a GPU library: C[m, n] = A[m, k] x B[k, n], in tiles, waves and splits of k.
//
// A library has a list of tiles and takes the one it believes best. Cores work through the tiles in
// waves; a core multiplies at a share of its peak, or waits for operands, of its own or of DRAM;
// then it writes its tile out. What is left of the board's power bounds the whole. Types below 16
// bits are made from bf16 by a pass of their own before, where the engine counts it.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

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

/// Which tiles a kernel has and how it takes one.
enum class GemmKernel {
  library,        // cuBLAS and its like: any tile, any split, the best by their count
  eager,          // the same, timed by a host that launches it and waits
  rocblas,        // the same on AMD, where few tokens draw little of the DRAM
  cutlass,        // one tile by the number of tokens, no split, as vLLM's table has it
  sgl_cutlass,    // the same by SGLang's table
  blocks,         // DeepGEMM in TensorRT-LLM's copy: 128 x 128 at most, the tile by counting waves
  tall_blocks,    // the same in DeepGEMM's own later form: up to 256 x 128 and 128 x 192
  swapped,        // the first for few tokens: outputs on the tile's long side
  flashinfer,     // `swapped`, called from a busy host
  cutlass_block,  // `cutlass` with a scale a block of 128 x 128, called from a busy host
};

std::string_view to_string(GemmKernel kernel);

/// The kernel an engine takes for a product, the `kernel` of a Situation: from its rules.
GemmKernel gemm_kernel(std::string_view engine, std::string_view type, std::string_view generation,
                       std::int64_t m, std::int64_t n, std::int64_t k);

struct GemmCall {
  std::int64_t m = 1, n = 1, k = 1;
  GemmTypes types = {};
  GemmKernel kernel = GemmKernel::library;
};

/// A tile and a split that a library has, or that a mapping pins.
struct GemmTile {
  std::int64_t m = 128, n = 128, split = 1;
};

LawInfo gemm_law();

/// The bytes through DRAM; they depend on no fitted constant. Cycling: the data's loop over five
/// copies of the weights, with the same activations and results each time.
Traffic gemm_traffic(const GemmCall& call, const Machine& machine, Residency residency);

/// `dram_us` is what the traffic takes; the tile is chosen with it in view, unless it is pinned.
Terms gemm_terms(const GemmCall& call, const Machine& machine, Constants constants, double dram_us,
                 const std::optional<GemmTile>& pinned = {});

/// The tile that gemm_terms takes.
GemmTile gemm_tile(const GemmCall& call, const Machine& machine, Constants constants,
                   double dram_us);

}  // namespace presil::kernels
