// Numerics: the arithmetic a run is computed in, by name.
//
//   fp32  weights dequantised, products and sums in fp32
//   bf16  both operands of every product rounded to bf16, sums in fp32
//   ggml  llama.cpp's: activations quantised in blocks of 32 before they meet quantised weights
//         (Q8_0 for Q8_0 and Q4_0, Q8_1 for Q4_1), rounded to the weights' type before they meet
//         F16 or BF16 weights; attention and its KV cache in fp32
//
// In all three the residual stream, the norms, softmax and SwiGLU are fp32. Nothing is fused: a
// product is rounded before it is added.
#pragma once

#include <string_view>

namespace presil {

enum class Numerics { bf16, fp32, ggml };

inline constexpr Numerics kAllNumerics[] = {Numerics::bf16, Numerics::fp32, Numerics::ggml};

std::string_view to_string(Numerics numerics);

}  // namespace presil
