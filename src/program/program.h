// The program: what both readers read.
//
// A Program is compiled once for (model, chip, parallel split, number formats). It is a list of
// blocks of kernels; the block of a decoder layer is stored once and repeated. A kernel is an
// operator over a tile loop nest: its axes have extents in the symbols of a step (T, S, Q, ...),
// each mapping says how the axes are cut into tiles and which loops run over cores and which in
// time. Operands are tensors with a place; a weight of layer l stands at base + l * layer_stride.
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
#include "base/window.h"

namespace presil {

/// The sequences of a step that a kernel runs for: latent attention has one way for sequences with
/// a single new token and another for the rest. A kernel that has none is left out of the step.
enum class Subset { all, decode, prefill };

/// What the size of an axis may depend on, over the sequences of the kernel. T: new tokens, all
/// together. S: sequences. Q: new tokens of one sequence. C: keys one sequence attends to (cached
/// and new). K: keys of all sequences.
enum class Symbol { one, T, S, Q, C, K };

/// scale x symbol / parts, rounded up.
struct Extent {
  std::int64_t scale = 1;
  Symbol symbol = Symbol::one;
  std::int64_t parts = 1;
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
  attention,  // out[q, h] = softmax(q k^T / sqrt(d), window) v, per sequence and head
  top_k,      // routes[m] = the experts of in[m, n] with the highest scores, and their weights
  dispatch,   // out[pair] = in[token of the pair], sorted by the pair's expert
  grouped_gemm,  // out[pair, n] = in[pair, k] x weights[expert of the pair, n, k]^T
  combine,       // out[token] = sum over the token's pairs of weight x in[pair]
  convert,       // out[m, n] = in[m, n] in another format: quantises or dequantises
  all_reduce,    // out[m, n] = sum of in[m, n] over the tensor-parallel group; epilogue add: out +=
  all_gather,    // puts the group's in[m, n] side by side
  reduce_scatter,  // out[m / group, n] = this rank's rows of the sum of in[m, n] over the group
  all_to_all,      // deals in[m, n] out: a part of it to each rank of the group, as much comes back
  send_recv,  // in[m, n] goes to the next group of ranks, rank by rank, and arrives as out[m, n]
  argmax,     // the greedy token of each row of logits
  sample,     // a token of each row of logits, drawn by temperature, top-k and top-p
};

/// What a gemm does with a finished tile before it is stored.
enum class Epilogue { none, add, swiglu, gelu };

/// m, n, k: of a gemm; of a grouped one, m counts the pairs of this chip. s: sequences, h: KV
/// heads, q: queries, c: keys, d: head dimension, v: that of values, where it is not d, of
/// attention (n: query heads).
enum class Axis { m, n, k, s, h, q, c, d, v };
inline constexpr std::size_t kAxes = 9;

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

/// How tokens meet experts. Each token makes per_token pairs of a token and an expert.
struct Routing {
  std::int64_t experts = 0;    // of a layer; 0: the kernel has nothing to do with experts
  std::int64_t here = 0;       // of them, on this chip
  std::int64_t per_token = 0;  // chosen for a token
  std::int64_t joined = 1;     // data-parallel replicas that share the experts, with as many tokens
  double imbalance = 1;        // pairs of the busiest chip over those of the mean one
  friend bool operator==(const Routing&, const Routing&) = default;
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
  Subset over = Subset::all;
  Window window;           // of attention
  std::int64_t group = 1;  // chips that a collective joins
  Routing routing;
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

/// How a model is split over chips, apart from tensor parallelism. A program is that of one chip of
/// one pipeline stage.
struct Split {
  std::int64_t data = 1;         // replicas of attention, each with sequences of its own
  std::int64_t experts = 1;      // chips over which the experts of a layer are spread
  std::int64_t stages = 1;       // of the pipeline
  std::int64_t stage = 0;        // that this program is
  std::int64_t first_layer = 0;  // of the stage
  bool sequence = false;         // norms and residual of a token on one chip of the tensor group
  friend bool operator==(const Split&, const Split&) = default;
};

struct Program {
  std::string model;
  std::string chip;
  Numerics numerics;
  std::int64_t tensor_parallel = 1;
  Split split;
  // What bind needs to know of the chip.
  std::int64_t cores = 1;
  Bytes local_memory;   // of one core
  Bytes shared_memory;  // usable for activations; 0 when there is none
  Bytes dram_capacity;
  Bytes dram_unit;  // tensors start on multiples of it: one line on every channel
  std::int64_t max_context = 1;
  Bytes weight_footprint;  // of one chip
  std::vector<Tensor> tensors;
  std::vector<Block> blocks;
  friend bool operator==(const Program&, const Program&) = default;

  const Tensor& tensor(int index) const { return tensors[static_cast<std::size_t>(index)]; }
  /// The index of the tensor called `name`. Requires that it exists.
  int find(std::string_view name) const;
};

/// The arithmetic of a gemm: the head's for "lm_head", which gives the logits.
const ProductNumerics& products_of(const Program& program, const Kernel& kernel);

std::string_view to_string(Op op);
std::string_view to_string(Axis axis);
std::string_view to_string(Symbol symbol);
std::string_view to_string(Subset subset);
std::string_view to_string(Epilogue epilogue);
std::string_view to_string(Role role);

}  // namespace presil
