// What operators ask for: those of the matrix engine, and those around experts.
#pragma once

#include "cycles/kernel_meter.h"

namespace presil {

/// Rows are handed to cores; an element costs `flops` and `exps`.
void count_rows(KernelMeter& meter, std::int64_t flops, std::int64_t exps = 0);

/// A product, or one for each expert that got a token: tiles, weights and inputs on their way to
/// the cores, epilogue. Keys and values that are expanded come from the cache.
void count_gemm(KernelMeter& meter);

/// Flash attention over the cached and the new keys of every sequence.
void count_attention(KernelMeter& meter);

/// The router's choice: top_k.
void count_top_k(KernelMeter& meter);

/// The weighted sum of what a token's experts gave: combine.
void count_combine(KernelMeter& meter);

/// A token drawn from each row of logits: sample.
void count_sample(KernelMeter& meter);

}  // namespace presil
