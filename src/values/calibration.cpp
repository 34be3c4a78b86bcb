#include "values/calibration.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "program/bind.h"
#include "values/number/codes.h"
#include "values/session.h"
#include "values/weight_view.h"

namespace presil {
namespace {

constexpr std::int64_t kTokensAStep = 256;

/// The program with every number in fp32. Its memory is not the chip's: it measures the model.
Program in_fp32(Program program) {
  Numerics numerics;
  numerics.name = "fp32";
  numerics.products.activations = Operand{Format::fp32};
  numerics.products.accumulator = {.group = 16, .order = Accumulator::Order::tree};
  program.numerics = std::move(numerics);
  for (Tensor& tensor : program.tensors) {
    if (tensor.role == Role::weight) continue;
    tensor.format = Format::fp32;
    tensor.scaling = Scaling::none;
  }
  program.dram_capacity = Bytes(std::numeric_limits<std::int64_t>::max());
  return program;
}

/// max|W_j| over all weights of a product.
std::vector<float> largest_weights(const Program& program, const Weights& weights,
                                   const Kernel& kernel, std::int64_t layer, std::size_t columns) {
  std::vector<float> largest(columns, 0.0f);
  std::vector<float> row(columns);
  for (const int index : kernel.weights) {
    const WeightView view(*weights.find(name_in_layer(program.tensor(index).name, layer)));
    for (std::int64_t r = 0; r < view.rows(); ++r) {
      view.to_floats(r, view.offline_row(r), row);
      raise_all(row, largest);
    }
  }
  return largest;
}

}  // namespace

std::span<const float> Calibration::of(const std::string& kernel, std::int64_t layer) const {
  const auto found = divisors.find({kernel, layer});
  if (found == divisors.end()) return {};
  return found->second;
}

bool is_of_layers(const Program& program, const Block& block) {
  return std::any_of(block.kernels.begin(), block.kernels.end(), [&](const Kernel& kernel) {
    return std::any_of(kernel.weights.begin(), kernel.weights.end(),
                       [&](int w) { return is_in_layers(program.tensor(w).name); });
  });
}

bool is_smoothed(const Program& program, const Block& block, const Kernel& kernel) {
  if (kernel.op != Op::gemm || !is_of_layers(program, block)) return false;
  return std::any_of(block.kernels.begin(), block.kernels.end(), [&](const Kernel& other) {
    return other.op == Op::rmsnorm && other.outputs.front() == kernel.inputs.front();
  });
}

Calibration calibrate(const Program& program, const Weights& weights, std::span<const int> tokens) {
  if (tokens.empty()) throw InputError("calibration: expected a text, found no tokens");
  const Program exact = in_fp32(program);
  Calibration result;  // first max|X_j|, then the divisors
  SessionOptions options;
  options.before_product = [&](const Kernel& kernel, std::int64_t layer,
                               std::span<const float> input) {
    const auto columns = static_cast<std::size_t>(exact.tensor(kernel.inputs.front()).columns);
    auto& largest = result.divisors[{kernel.name, layer}];
    largest.resize(columns, 0.0f);
    for (std::size_t at = 0; at < input.size(); at += columns) {
      raise_all(input.subspan(at, columns), largest);
    }
  };
  Session session(exact, weights, options);
  const std::int64_t end = std::min<std::int64_t>(std::ssize(tokens), exact.max_context);
  for (std::int64_t at = 0; at < end; at += kTokensAStep) {
    const std::int64_t count = std::min(kTokensAStep, end - at);
    const auto bound = bind(exact, {{{count, at}}});
    CHECK(bound.has_value(), "a memory without an end holds a step");
    const auto chunk =
        tokens.subspan(static_cast<std::size_t>(at), static_cast<std::size_t>(count));
    session.run(*bound, std::vector<std::vector<int>>{{chunk.begin(), chunk.end()}});
  }

  Calibration smoothed;
  const auto alpha = static_cast<float>(program.numerics.smoothing);
  for (const Block& block : exact.blocks) {
    for (const Kernel& kernel : block.kernels) {
      if (!is_smoothed(exact, block, kernel)) continue;
      for (std::int64_t i = 0; i < block.repeat; ++i) {
        const std::int64_t layer = block.first_layer + i;
        std::vector<float> divisors = result.divisors.at({kernel.name, layer});
        const auto w = largest_weights(exact, weights, kernel, layer, divisors.size());
        for (std::size_t j = 0; j < divisors.size(); ++j) {
          const float s = std::pow(divisors[j], alpha) / std::pow(w[j], 1 - alpha);
          divisors[j] = divisors[j] > 0 && w[j] > 0 && std::isnormal(s) ? s : 1.0f;
        }
        smoothed.divisors[{kernel.name, layer}] = std::move(divisors);
      }
    }
  }
  return smoothed;
}

}  // namespace presil
