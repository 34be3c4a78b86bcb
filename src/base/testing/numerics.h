// For tests: numerics written down by hand.
#pragma once

#include "base/numerics.h"

namespace presil::testing {

/// Weights as stored, everything in fp32.
inline Numerics fp32_numerics() {
  Numerics n;
  n.name = "fp32";
  n.products.activations = Operand{Format::fp32};
  n.products.accumulator = {.group = 16, .order = Accumulator::Order::tree};
  return n;
}

/// Both operands of products rounded to bf16, sums in fp32.
inline Numerics bf16_numerics() {
  Numerics n;
  n.name = "bf16";
  n.products.activations = Operand{Format::bf16};
  n.products.accumulator = {.group = 16, .order = Accumulator::Order::tree};
  n.kv_cache = {Format::bf16};
  n.attention = Format::bf16;
  n.stream = Format::bf16;
  return n;
}

/// llama.cpp's: activations quantised as ggml does for the stored weights.
inline Numerics ggml_numerics() {
  Numerics n;
  n.name = "ggml";
  return n;
}

}  // namespace presil::testing
