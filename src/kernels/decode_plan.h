// The kernels that libraries run for decode attention, and how each cuts a call into CTAs.
//
// A CTA takes one sequence and one head of the cache (all query heads that share it), or a split of
// its keys. How many splits there are is the library's rule, not physics; what it costs is the
// law's (attention_law.h).
#pragma once

#include <cstdint>
#include <string_view>

#include "base/number_format.h"

#include "kernels/attention_law.h"
#include "kernels/machine.h"

namespace presil::kernels {

/// How a kernel cuts one sequence's keys over CTAs.
enum class Split {
  never,
  fill_wave,     // FlashAttention 2: the fewest splits that fill whole waves to 85 %
  share_blocks,  // FlashAttention 3: no CTA has much more than a core's share of all blocks
  cover_cores,   // TensorRT-LLM's MMHA: as few as give every core a CTA
  target_waves,  // TensorRT-LLM's XQA: so many waves of CTAs, whatever the window
  fixed,         // Triton: always as many
};

struct DecodeKernel {
  std::string_view name;
  Split split = Split::never;
  double tile_m = 0;        // query rows of a tile, padded; 0: the loop waits for loads
  double softmax = 0;       // passes of the exponential unit over a tile that no product hides
  bool by_warps = false;    // products of single warps: half of what wgmma reaches on its chips
  double wait_us = 0;       // of each tile for its loads, that nothing hides
  bool by_head = false;     // a CTA a query head, not a group of them
  bool own_format = false;  // multiplies in the cache's format
  bool serial = false;      // prologues come one after another, on however many cores
  double splits = 0;        // of fixed; waves of target_waves
  double least_keys = 1;    // of a split
  double least_dims = 0;    // head_dim is padded to a power of two, this at least; 0: not padded
  double resident = 1;      // CTAs of a core that hide each other's loads
  double ahead = 1;         // bytes on their way to a core, over the measured kernel's
  double value_share = 1;   // values' width over keys'
};

/// The kernel of that name; another name's is FlashAttention 2. All kernels of the fifth generation
/// of matrix engines are one.
const DecodeKernel& decode_kernel_named(std::string_view name, std::string_view generation);

/// The CTAs of one call.
struct DecodePlan {
  double ctas = 0;
  double busy = 0;     // those with keys inside the window
  double keys = 0;     // of all CTAs, whole tiles
  double longest = 0;  // keys of the longest CTA
  double splits = 1;   // the most of any sequence
  double units = 0;    // sequences by heads
};

/// As `engine` has the kernel cut it.
DecodePlan decode_plan(const DecodeKernel& kernel, std::string_view engine,
                       const AttentionCall& call, const Machine& machine);

/// Keys of a tile, as the library chooses them for its scratchpad; 1 where a loop has no tiles.
double decode_tile_keys(const DecodeKernel& kernel, const AttentionCall& call);

/// Keys of one sequence that its window lets through.
double keys_seen(const AttentionGroup& group, std::int64_t window);

/// Bytes of an element of a cache, its scales with it.
double element_bytes(Format format);

}  // namespace presil::kernels
