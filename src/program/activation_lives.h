// Which activations are needed at the same time, and so cannot share a place.
#pragma once

#include <cstddef>
#include <vector>

#include "program/program.h"

namespace presil {

/// The kernels between which an activation is needed, counted over one pass through the blocks (a
/// layer stands for all layers of its block). One that a block writes before it reads is not kept
/// from the block before.
struct Life {
  struct Span {
    int first, last;
  };
  std::size_t tensor;
  std::vector<Span> spans;

  bool overlaps(const Life& other) const;
};

/// One for each activation, in the order of their first use.
std::vector<Life> activation_lives(const Program& program);

}  // namespace presil
