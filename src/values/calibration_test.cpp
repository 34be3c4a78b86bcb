#include "values/calibration.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>

#include <gtest/gtest.h>

#include "model/testing/says.h"
#include "model/testing/tiny_llama.h"
#include "values/session.h"
#include "values/testing/distance.h"
#include "values/testing/named_sets.h"
#include "values/testing/small_program.h"
#include "values/weight_view.h"

namespace presil {
namespace {

using testing::distance;
using testing::refusal;
using testing::says;
using testing::set_of;
using testing::small_program;

const std::vector<int> kText = {104, 101, 7, 200, 33, 104, 0, 31, 255, 12, 64, 64, 9};

std::vector<float> run(const Program& program, const Weights& weights,
                       const SessionOptions& options) {
  Session session(program, weights, options);
  const auto bound = bind(program, {{{std::ssize(kText), 0}}});
  return session.run(*bound, std::vector<std::vector<int>>{kText});
}

/// A tiny model, and the same one written with outliers: every eighth channel before the MLP is 64
/// times as large and its weights 64 times as small, as training leaves large models.
Weights with_outliers() {
  std::string bytes = testing::tiny_llama({});
  const Weights plain = Weights::open_gguf(testing::write_file("calibration_plain.gguf", bytes));
  const auto scale = [&](const std::string& name, float factor) {
    const auto data = plain.find(name)->data;
    const std::string stored(reinterpret_cast<const char*>(data.data()), data.size());
    const std::size_t at = bytes.find(stored);
    for (std::size_t j = 0; j < stored.size(); j += 8 * sizeof(float)) {
      float value;
      std::memcpy(&value, &stored[j], sizeof value);
      bytes.replace(at + j, sizeof value, testing::raw(value * factor));
    }
  };
  for (const std::string& layer : {std::string("blk.0."), std::string("blk.1.")}) {
    scale(layer + "ffn_norm.weight", 64);
    scale(layer + "ffn_gate.weight", 0x1p-6f);
    scale(layer + "ffn_up.weight", 0x1p-6f);
  }
  return Weights::open_gguf(testing::write_file("calibration_outliers.gguf", bytes));
}

TEST(Calibration, DividesByTheRootOfTheLargestInputOverTheLargestWeight) {
  const Weights weights =
      Weights::open_gguf(testing::write_file("calibration_tiny.gguf", testing::tiny_llama({})));
  const Program program = small_program(weights, set_of("int8-smooth"));
  std::vector<float> inputs;  // of gate_up in layer 1, in fp32: (tokens, 64)
  SessionOptions options;
  options.before_product = [&](const Kernel& kernel, std::int64_t layer,
                               std::span<const float> input) {
    if (kernel.name == "gate_up" && layer == 1) inputs.assign(input.begin(), input.end());
  };
  run(small_program(weights, testing::fp32_numerics()), weights, options);

  const Calibration found = calibrate(program, weights, kText);

  float largest_input = 0, largest_weight = 0;  // of channel 5
  for (std::size_t i = 5; i < inputs.size(); i += 64) {
    largest_input = std::max(largest_input, std::fabs(inputs[i]));
  }
  for (const char* name : {"blk.1.ffn_gate.weight", "blk.1.ffn_up.weight"}) {
    const WeightView view(*weights.find(name));
    std::vector<float> row(64);
    for (std::int64_t r = 0; r < view.rows(); ++r) {
      view.to_floats(r, view.offline_row(r), row);
      largest_weight = std::max(largest_weight, std::fabs(row[5]));
    }
  }
  EXPECT_NEAR(found.of("gate_up", 1)[5], std::sqrt(largest_input / largest_weight), 1e-6);
  EXPECT_EQ(found.divisors.size(), 4U);  // qkv and gate_up of two layers
  EXPECT_TRUE(found.of("down", 1).empty());
}

TEST(Calibration, LeavesTheProductAsItWas) {
  const Weights weights = with_outliers();
  Numerics numerics = testing::fp32_numerics();
  const std::vector<float> plain = run(small_program(weights, numerics), weights, {});
  numerics.smoothing = 0.5;
  const Program program = small_program(weights, numerics);
  const Calibration found = calibrate(program, weights, kText);

  const std::vector<float> smoothed = run(program, weights, {.calibration = &found});

  EXPECT_NE(smoothed, plain);
  EXPECT_LE(distance(smoothed, plain), 1e-5);
}

TEST(Calibration, MakesInt8BetterWhereChannelsStandOut) {
  const Weights weights = with_outliers();
  const auto exact = run(small_program(weights, testing::fp32_numerics()), weights, {});
  const Program smooth = small_program(weights, set_of("int8-smooth"));
  const Calibration found = calibrate(smooth, weights, kText);
  Numerics numerics = set_of("int8-smooth");
  numerics.smoothing = 0;

  const double with = distance(run(smooth, weights, {.calibration = &found}), exact);
  const double without = distance(run(small_program(weights, numerics), weights, {}), exact);

  EXPECT_LT(with, 0.7 * without);
}

TEST(Calibration, IsTheSameOnAnyNumberOfChips) {
  const Weights weights = Weights::open_gguf(
      testing::write_file("calibration_split.gguf", testing::tiny_llama({.d_ff = 128})));
  const auto on = [&](std::int64_t chips) {
    const Program program = small_program(weights, set_of("int8-smooth"), {.chips = chips});
    return calibrate(program, weights, std::vector<int>{104}).divisors;
  };
  // One token: nothing but the first layer's first product is free of the order of sums.
  EXPECT_EQ(on(2).at({"qkv", 0}), on(1).at({"qkv", 0}));
  EXPECT_NEAR(on(2).at({"qkv", 1})[7], on(1).at({"qkv", 1})[7], 1e-5);
}

TEST(Calibration, IsNeededWhereNumericsAreSmoothed) {
  const Weights weights =
      Weights::open_gguf(testing::write_file("calibration_none.gguf", testing::tiny_llama({})));
  const Program program = small_program(weights, set_of("int8-smooth"));

  EXPECT_TRUE(says(refusal<InputError>([&] { run(program, weights, {}); }),
                   "numerics int8-smooth: smoothing needs a calibration text"));
  EXPECT_TRUE(says(refusal<InputError>([&] { calibrate(program, weights, {}); }), "no tokens"));
}

}  // namespace
}  // namespace presil
