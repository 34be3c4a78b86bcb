#include "model/fp32_copy.h"

#include <algorithm>
#include <cstring>

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/mapped_file.h"
#include "model/gguf.h"
#include "model/testing/says.h"
#include "model/testing/tiny_checkpoint.h"

namespace presil {
namespace {

/// Numbers that tell where they are from, instead of decoding.
void place_as_number(const WeightTensor& t, std::int64_t row, std::span<float> out) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = static_cast<float>(t.name.size()) + static_cast<float>(row) * 0.5f +
             static_cast<float>(i) * 0.001f;
  }
}

TEST(Fp32Copy, HasTheKeysAndTensorsOfItsSourceInF32) {
  testing::TinyLlama model;
  model.matrices = Format::q4_0;
  testing::GgufWriter source = testing::tiny_llama_writer(model);
  source.u32("general.file_type", 2);
  const Weights weights = Weights::open(testing::write_file("source.gguf", source.bytes()));
  const auto path = testing::scratch_folder() / "copy.gguf";
  write_fp32_copy(weights, path, place_as_number);

  const MappedFile bytes(path);
  EXPECT_EQ(Gguf(bytes.bytes(), path).integer("general.file_type", 0, 99), 0);
  const Weights copy = Weights::open(path);
  Architecture a = weights.architecture();
  a.name = "copy";
  a.dtype = Format::fp32;
  EXPECT_EQ(copy.architecture(), a);
  EXPECT_EQ(copy.vocabulary().tokens, weights.vocabulary().tokens);
  EXPECT_EQ(copy.vocabulary().merges, weights.vocabulary().merges);
  EXPECT_EQ(copy.vocabulary().eos, weights.vocabulary().eos);
  for (const WeightTensor& t : weights.tensors()) {
    const WeightTensor* of_copy = copy.find(t.name);
    ASSERT_NE(of_copy, nullptr);
    EXPECT_EQ(of_copy->format, Format::fp32);
    EXPECT_EQ(of_copy->shape, t.shape);
    const auto columns = static_cast<std::size_t>(t.shape.back());
    const auto rows = static_cast<std::size_t>(t.shape.size() == 1 ? 1 : t.shape.front());
    std::vector<float> expected(columns), found(columns);
    place_as_number(t, static_cast<std::int64_t>(rows) - 1, expected);
    std::memcpy(found.data(), of_copy->data.data() + (rows - 1) * columns * sizeof(float),
                columns * sizeof(float));
    EXPECT_EQ(found, expected) << t.name;
  }
}

TEST(Fp32CopyRefuse, OtherSourcesAndPlaces) {
  const Weights checkpoint =
      Weights::open(testing::write_tiny_checkpoint("to-copy", {}) / "model.safetensors");
  EXPECT_TRUE(testing::says(testing::refusal<InputError>([&] {
                              write_fp32_copy(checkpoint, testing::scratch_folder() / "no.gguf",
                                              place_as_number);
                            }),
                            "magic: expected \"GGUF\""));
  const Weights gguf = Weights::open(testing::write_file("ok.gguf", testing::tiny_llama()));
  EXPECT_TRUE(testing::says(testing::refusal<InputError>([&] {
                              write_fp32_copy(gguf, "/no/such/folder/x.gguf", place_as_number);
                            }),
                            "/no/such/folder/x.gguf: cannot be written"));
}

}  // namespace
}  // namespace presil
