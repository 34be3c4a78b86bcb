// Calibration for smoothed numerics (SmoothQuant, arXiv:2211.10438): which input channels of a
// product are large, and what they are divided by.
//
// Large activation channels spoil a scale that a whole row shares. Channel j of an input that comes
// from a norm is divided by s_j = max|X_j|^a / max|W_j|^(1 - a), and column j of the product's
// weights multiplied by it, which leaves the product as it was. X are the inputs seen while the
// model reads a text in fp32; W are all weights that the product puts side by side, of the whole
// model, so that a split over chips changes no factor.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "model/weights.h"
#include "program/program.h"

namespace presil {

struct Calibration {
  using Product = std::pair<std::string, std::int64_t>;  // a kernel's name and its layer

  /// s_j by input channel, for every smoothed product.
  std::map<Product, std::vector<float>> divisors;

  /// Those of one product; empty when it is not smoothed.
  std::span<const float> of(const std::string& kernel, std::int64_t layer) const;
};

/// Whether the block is one of the model's layers: its weights have a layer in their names.
bool is_of_layers(const Program& program, const Block& block);

/// Whether `kernel` is a product of a layer whose input comes from a norm of its block.
bool is_smoothed(const Program& program, const Block& block, const Kernel& kernel);

/// Runs the program's model in fp32 over `tokens` (those beyond the model's context are left out)
/// and finds the divisors for alpha = program.numerics.smoothing. Throws InputError as a session
/// does, and for no tokens.
Calibration calibrate(const Program& program, const Weights& weights, std::span<const int> tokens);

}  // namespace presil
