// One chip's share of a model that is split over chips, as Megatron splits it: heads, d_ff and the
// vocabulary are cut, experts spread, layers dealt to the stages of a pipeline; all else is on
// every chip.
#pragma once

#include <cstdint>

#include "chip/chip.h"
#include "compiler/compile.h"
#include "model/architecture.h"

namespace presil {

struct ModelShare {
  std::int64_t heads = 0;
  std::int64_t kv_heads = 0;
  std::int64_t q_columns = 0;   // heads x head_dim
  std::int64_t kv_columns = 0;  // kv_heads x head_dim
  std::int64_t d_ff = 0;
  std::int64_t vocab = 0;
  std::int64_t experts = 0;      // of each layer that has them
  std::int64_t expert_d_ff = 0;  // columns of each
  std::int64_t shared_d_ff = 0;
  std::int64_t joined = 1;  // replicas that share experts
  std::int64_t first_layer = 0;
  std::int64_t layers = 0;  // of the stage
};

/// The share of one chip of options.stage. With fewer KV heads than chips, each is kept by several.
/// Throws InputError when heads, d_ff, vocabulary, experts or layers are not divisible as asked, or
/// when the chip's link joins fewer chips.
ModelShare share_of(const Architecture& model, const Chip& chip, const CompileOptions& options);

}  // namespace presil
