// NaN and infinity among stored weights, found without decoding them.
//
// A plain float says it in its exponent; a block of a block format is finite when its fp16 scales
// are, whatever its integers. So of a block of 144 bytes only 4 are looked at.
#pragma once

#include <cstdint>
#include <optional>

#include "model/weights.h"

namespace presil {

struct NotFinite {
  std::int64_t row = 0;
  std::int64_t column = 0;  // of a block format: the first of the block
  bool in_scale = false;    // a scale is not finite, the block's or one stored apart
};

/// The first element, by rows, that is NaN or infinite, if any. A vector is one row. Reads the
/// tensor on all threads, at about the speed of memory.
std::optional<NotFinite> find_not_finite(const WeightTensor& tensor);

}  // namespace presil
