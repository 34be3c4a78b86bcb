// From an architecture and a chip to a program.
//
// Operators are fused as engines fuse them: QKV in one product, flash attention, gate and up
// together with SwiGLU in their epilogue, residual additions in the epilogue of the product before
// them. Layers that follow each other and store their weights alike are one block; a file that
// mixes formats by layer makes several, and so does a model whose layers differ. Tensor parallelism
// is Megatron's: heads, d_ff and vocabulary are cut over the chips, with an all-reduce after
// attention and after the MLP; in sequence parallelism a reduce-scatter there and an all-gather
// behind the next norm. A pipeline has a program for each stage.
//
// Left out: the biases of gpt-oss's attention output, router and experts, its attention sinks, and
// the correction of DeepSeek's router (together under 0.5 % of their parameters).
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "chip/chip.h"
#include "chip/memory_part.h"
#include "model/architecture.h"
#include "program/mapping_file.h"
#include "program/program.h"

namespace presil {

struct CompileOptions {
  std::int64_t tensor_parallel = 1;
  std::int64_t pipeline_parallel = 1;
  std::int64_t stage = 0;  // of the pipeline: the one to compile
  /// Replicas of attention, each with sequences of its own.
  std::int64_t data_parallel = 1;
  /// Chips over which a layer's experts are spread. Up to tensor_parallel: within each replica,
  /// whose chips cut the experts they share along d_ff. A multiple of it: over several replicas.
  std::int64_t expert_parallel = 1;
  double expert_imbalance = 1;     // pairs of the busiest chip over those of the mean one
  bool sequence_parallel = false;  // norms and residual stream are spread over the tensor group
  bool samples = false;            // a program ends by drawing a token, not in the greedy one
  Numerics numerics;
  /// What a weight is stored as, with the scales that stand beside it, by its GGUF name
  /// ("blk.0.attn_q.weight"). An empty function: there is no file; matrices are stored in
  /// `weights`, norms in the stream's format. Matrices that the numerics give a format of their own
  /// have that one instead.
  std::function<std::optional<Operand>(std::string_view)> stored_as;
  Format weights = Format::bf16;
  /// In place of searched ones; see pinned_mappings.h.
  std::vector<PinnedMapping> mappings;
};

/// The largest number of tokens in one step that mappings are searched for; larger steps use the
/// last mapping.
inline constexpr std::int64_t kLargestSearchedStep = 8192;

/// Throws InputError for a split that does not divide the heads, the MLP, the experts, the layers
/// or the link's group, for weights that `stored_as` does not know, and for a chip that multiplies
/// no suitable format. Infeasible when no tile fits a core.
Feasible<Program> compile(const Architecture& model, const Chip& chip, const MemoryPart& part,
                          const CompileOptions& options);

}  // namespace presil
