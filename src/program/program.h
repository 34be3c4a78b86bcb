// The program: what both readers read.
//
// A Program is compiled once for (model, chip, parallel split, number formats). It is a list of
// blocks of kernels; the block of a decoder layer is stored once and repeated. A kernel is an
// operator over a tile loop nest: its axes have extents in the symbols of a step (T, S, Q, C), each
// mapping says how the axes are cut into tiles and which loops run over cores and which in time.
// Operands are tensors with a place; a weight of layer l stands at base + l * layer_stride.
//
// `values` runs it for its numbers and `cycles` for its time; neither knows the other.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "base/number_format.h"
#include "base/numerics.h"
#include "base/units.h"

namespace presil {

/// What the size of an axis may depend on. T: new tokens of the step, over all sequences.
/// S: sequences. Q: new tokens of one sequence. C: keys one sequence attends to (cached and new).
enum class Symbol { one, T, S, Q, C };

/// scale x symbol.
struct Extent {
  std::int64_t scale = 1;
  Symbol symbol = Symbol::one;
  friend bool operator==(const Extent&, const Extent&) = default;
};

enum class Role { weight, cache, activation };

/// A two-dimensional operand, row-major.
struct Tensor {
  std::string name;  // a weight's GGUF name with '*' for the layer; "x", "k_cache", ...
  Role role = Role::activation;
  Format format = Format::fp32;
  Scaling scaling = Scaling::none;
  Extent rows;  // of a cache: (kv_heads x C), the heads of a token side by side
  std::int64_t columns = 1;
  // Of a weight: where it stands in DRAM. (Caches and activations get their addresses in bind.)
  std::int64_t base = 0;
  std::int64_t layer_stride = 0;

  /// The bytes of `count` of its rows, with their scales.
  Bytes bytes(std::int64_t count) const { return stored_bytes(format, scaling, count, columns); }
  friend bool operator==(const Tensor&, const Tensor&) = default;
};

/// The name of a weight in one layer: "blk.*.attn_q.weight" in layer 3 is "blk.3.attn_q.weight".
std::string name_in_layer(std::string_view name, std::int64_t layer);
/// Whether each layer has a weight of this name.
bool is_in_layers(std::string_view name);

enum class Op {
  embed,      // out[m, n] = weight[token[m], n]
  rmsnorm,    // out[m, n] = in / rms(in) * weight[n]; with m = S: of each sequence's last token
  gemm,       // out[m, n] = in[m, k] x weights[n, k]^T, weights side by side along n
  rope,       // splits qkv, adds bias and head norms, rotates q and k, appends k and v to the cache
  attention,  // out[q, h] = softmax(q k^T / sqrt(d), causal) v, per sequence and head
  all_reduce,  // out[m, n] = sum of in[m, n] over the tensor-parallel group; epilogue add: out +=
  all_gather,  // puts the group's in[m, n] side by side
  argmax,      // the greedy token of each row of logits
};

/// What a gemm does with a finished tile before it is stored.
enum class Epilogue { none, add, swiglu };

/// m, n, k: of a gemm. s: sequences, h: KV heads, q: queries, c: keys, d: head dimension, of
/// attention (n: query heads).
enum class Axis { m, n, k, s, h, q, c, d };
inline constexpr std::size_t kAxes = 8;

enum class Over { cores, time };

/// One loop of a nest: `axis` in steps of `tile`. Loops over cores hand their iterations out, the
/// innermost loop's neighbours to neighbouring cores.
struct Loop {
  Axis axis = Axis::m;
  std::int64_t tile = 1;
  Over over = Over::time;
  friend bool operator==(const Loop&, const Loop&) = default;
};

inline constexpr std::int64_t kAnyRows = std::numeric_limits<std::int64_t>::max();

/// A strip of tiles: `elements` along `axis`, which the other axis passes before the next strip.
struct Strip {
  Axis axis = Axis::m;
  std::int64_t elements = 0;  // 0: all
};

/// A loop nest, outermost first, meant for steps with at most `max_m` rows.
///
/// The loops over cores of a product say in which order its tiles are handed out; a loop in time
/// around them cuts one of their axes into strips: "m/1024 time, n/64 cores, m/128 cores, k/256
/// time" hands out the 8 tiles of a first column of the first strip, then those of the second.
struct Mapping {
  std::int64_t max_m = kAnyRows;
  std::vector<Loop> loops;
  std::int64_t split_k = 1;  // cores that share the k range of one output tile
  std::int64_t buffers = 2;  // of each operand: with one, a core loads or computes
  std::int64_t last_n = 0;   // n of the tiles of a last wave that leaves cores idle; 0: as others
  friend bool operator==(const Mapping&, const Mapping&) = default;

  /// The innermost tile along `axis`, or 0 when no loop runs over it.
  std::int64_t tile(Axis axis) const;
  /// What the tiles of a product are handed out in.
  Strip strip() const;
};

/// Kernels run in the order of their block: each after the one before it has ended.
struct Kernel {
  std::string name;
  Op op = Op::gemm;
  Epilogue epilogue = Epilogue::none;
  Format multiply = Format::bf16;       // what the matrix engine multiplies
  std::vector<int> inputs;              // indices into Program::tensors, activations and caches
  std::vector<int> weights;             // indices into Program::tensors
  std::vector<int> outputs;             // activations and caches
  std::array<Extent, kAxes> extents{};  // by Axis; unused axes are 1
  std::vector<Mapping> mappings;        // by max_m, ascending
  friend bool operator==(const Kernel&, const Kernel&) = default;

  Extent extent(Axis axis) const { return extents[static_cast<std::size_t>(axis)]; }
};

struct Block {
  std::string name;
  std::int64_t repeat = 1;
  std::vector<Kernel> kernels;
  // The model's layer of the first repetition. Repetition i reads a weight at base + i *
  // layer_stride, by its name in layer first_layer + i, and the cache of that layer.
  std::int64_t first_layer = 0;
  friend bool operator==(const Block&, const Block&) = default;
};

struct Program {
  std::string model;
  std::string chip;
  Numerics numerics;
  std::int64_t tensor_parallel = 1;
  // What bind needs to know of the chip.
  std::int64_t cores = 1;
  Bytes local_memory;   // of one core
  Bytes shared_memory;  // usable for activations; 0 when there is none
  Bytes dram_capacity;
  Bytes dram_unit;  // tensors start on multiples of it: one line on every channel
  std::int64_t max_context = 1;
  std::int64_t sliding_window = 0;  // keys a query sees, itself included; 0: all before it
  Bytes weight_footprint;           // of one chip
  std::vector<Tensor> tensors;
  std::vector<Block> blocks;
  friend bool operator==(const Program&, const Program&) = default;

  const Tensor& tensor(int index) const { return tensors[static_cast<std::size_t>(index)]; }
  /// The index of the tensor called `name`. Requires that it exists.
  int find(std::string_view name) const;
};

/// The first key that a query after `context` tokens sees, of a model whose queries see `window`
/// keys, themselves included, or all before them (0).
std::int64_t first_key_seen(std::int64_t window, std::int64_t context);

/// The arithmetic of a gemm: the head's for "lm_head", which gives the logits.
const ProductNumerics& products_of(const Program& program, const Kernel& kernel);

std::string_view to_string(Op op);
std::string_view to_string(Axis axis);
std::string_view to_string(Symbol symbol);
std::string_view to_string(Epilogue epilogue);
std::string_view to_string(Role role);

}  // namespace presil
