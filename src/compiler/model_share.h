// One chip's share of a model that is split over chips, as Megatron splits it: heads, d_ff and the
// vocabulary are cut, all else is on every chip.
#pragma once

#include <cstdint>

#include "chip/chip.h"
#include "model/architecture.h"

namespace presil {

struct ModelShare {
  std::int64_t heads = 0;
  std::int64_t kv_heads = 0;
  std::int64_t q_columns = 0;   // heads x head_dim
  std::int64_t kv_columns = 0;  // kv_heads x head_dim
  std::int64_t d_ff = 0;
  std::int64_t vocab = 0;
};

/// The share of one of `chips` chips. With fewer KV heads than chips, each is kept by several.
/// Throws InputError when the heads, d_ff or the vocabulary are not divisible by `chips`, or when
/// the chip's link joins fewer.
ModelShare share_of(const Architecture& model, const Chip& chip, std::int64_t chips);

}  // namespace presil
