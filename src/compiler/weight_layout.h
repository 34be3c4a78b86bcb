// Where the weights of a program stand in DRAM.
#pragma once

#include "program/program.h"

namespace presil {

/// Gives every weight its base, the weights of layers their layer_stride, and the program its
/// weight_footprint.
///
/// Weights lie in the order of the tensors, which is the order they are read in, so that a decode
/// step is one long stream. What one kernel reads together lies side by side; each such group
/// starts on a dram_unit. Requires that the weights of one block of layers follow each other.
void place_weights(Program& program);

}  // namespace presil
