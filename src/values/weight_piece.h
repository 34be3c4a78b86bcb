// The piece of a weight that one chip holds.
#pragma once

#include <cstdint>

#include "model/weights.h"
#include "program/program.h"
#include "values/weight_view.h"

namespace presil {

/// Chip `rank` of `ranks` that share a model.
struct Share {
  std::int64_t rank = 0;
  std::int64_t ranks = 1;
};

/// What `weights` hold for a program's tensor in `layer`: all of it, or, where the program's is
/// `ranks` times smaller along one axis, the piece of this rank. Keys and values of fewer KV heads
/// than ranks are cut by heads, which neighbouring ranks share. The file's format is its own
/// affair. Throws InputError that names the tensor, what the program needs and what there is.
WeightView piece_of_weight(const Weights& weights, const Tensor& wanted, std::int64_t layer,
                           const Share& share);

}  // namespace presil
