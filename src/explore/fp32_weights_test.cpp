#include "explore/fp32_weights.h"

#include <gtest/gtest.h>

#include "base/testing/scratch.h"
#include "model/testing/tiny_llama.h"
#include "model/weights.h"

namespace presil {
namespace {

TEST(Fp32Weights, AreAFileOfFloatsWhileTheObjectLives) {
  const std::filesystem::path file =
      testing::write_file("tiny.gguf", testing::tiny_llama({.matrices = Format::q8_0}));
  std::filesystem::path copy;
  {
    const Fp32Weights floats(file, testing::scratch_folder());
    copy = floats.path();
    const Weights weights = Weights::open_gguf(copy);
    for (const WeightTensor& t : weights.tensors()) EXPECT_EQ(t.format, Format::fp32) << t.name;
    EXPECT_FALSE(weights.tensors().empty());
  }
  EXPECT_FALSE(std::filesystem::exists(copy.parent_path()));
}

}  // namespace
}  // namespace presil
