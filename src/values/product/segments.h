// How the k axis of a product is cut, and what is added where.
//
// The tiles of the program are dealt to `split` cores in runs. A core's share is cut into segments:
// every promote_every elements (0: at each tile), and where 128 elements share a scale. A segment
// is summed from zero as the accumulator says, multiplied by the product of its two scales, and
// added to the core's fp32 sum, in order; the cores' sums are added in order at the end.
#pragma once

#include <cstdint>
#include <vector>

#include "base/numerics.h"

namespace presil {

/// How the program cuts k. Tiles of a product of blocks are whole blocks.
struct KTiling {
  std::int64_t tile = 0;  // 0: the whole axis
  std::int64_t split = 1;
};

struct Segment {
  std::int64_t begin, end;
  bool ends_core;  // the last one of its core
};

/// `span` and `other_span`: elements of k that share a scale, of the two operands (scale_span).
std::vector<Segment> cut_into_segments(std::int64_t k, KTiling tiling, std::int64_t promote_every,
                                       std::int64_t span, std::int64_t other_span);

}  // namespace presil
