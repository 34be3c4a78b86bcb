// bind: a program and the sizes of one step make bounds, lengths and addresses.
//
// A Step is any mix of sequences: prefill, decode, chunked and mixed batches are all steps, so
// thousands of them cost no recompilation.
#pragma once

#include <cstdint>
#include <vector>

#include "base/error.h"
#include "program/program.h"

namespace presil {

struct Sequence {
  std::int64_t new_tokens = 1;
  std::int64_t context = 0;  // tokens already in the KV cache
  friend bool operator==(const Sequence&, const Sequence&) = default;
};

struct Step {
  std::vector<Sequence> sequences;
  // The KV cache is handed out in pages of so many tokens, of which a table says where each is.
  std::int64_t page_tokens = 1;

  std::int64_t tokens() const;
};

/// Whether `sequence` is one of `subset`.
bool is_in(Subset subset, const Sequence& sequence);

/// What `extent` comes to over the sequences of `subset`.
std::int64_t size_of(const Extent& extent, const Step& step, Subset subset = Subset::all);

/// Where an operand lives while a step runs.
enum class Level { dram, shared, local };

struct Placement {
  Level level = Level::shared;
  std::int64_t address = 0;
  Bytes size;
};

struct BoundKernel {
  const Kernel* kernel = nullptr;
  const Mapping* mapping = nullptr;
  std::array<std::int64_t, kAxes> extents{};  // Q and C of attention: of the longest sequence

  std::int64_t extent(Axis axis) const { return extents[static_cast<std::size_t>(axis)]; }
};

struct BoundBlock {
  const Block* block = nullptr;
  std::int64_t repeat = 1;
  std::vector<BoundKernel> kernels;
};

struct BoundProgram {
  const Program* program = nullptr;
  Step step;
  std::vector<BoundBlock> blocks;
  std::vector<Placement> placements;  // by tensor; weights: of layer 0; caches: of layer 0
  std::int64_t cache_layer_stride = 0;
  /// Byte offset of each sequence within one layer of a cache tensor.
  std::vector<std::int64_t> cache_offsets;
  Bytes dram_footprint;
};

/// Leaves out kernels that have no sequences, chooses mappings, places activations (shared memory
/// first, what does not fit goes to DRAM) and lays out the KV cache. Infeasible when weights, cache
/// and spilled activations exceed the DRAM, saying by how much and what would fit. Throws
/// InputError for an empty step, pages of less than a token, a sequence without new tokens, or one
/// longer than the model's context.
Feasible<BoundProgram> bind(const Program& program, const Step& step);

}  // namespace presil
