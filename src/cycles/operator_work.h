// What the two operators of the matrix engine ask for: products and attention.
#pragma once

#include "cycles/kernel_meter.h"

namespace presil {

/// A product: its tiles, its weights and its inputs on their way to the cores, its epilogue.
void count_gemm(KernelMeter& meter);

/// Flash attention over the cached and the new keys of every sequence.
void count_attention(KernelMeter& meter);

}  // namespace presil
