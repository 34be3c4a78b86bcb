#include "model/finite.h"

#include <bit>
#include <limits>

#include <gtest/gtest.h>

#include "base/error.h"
#include "model/testing/encode.h"
#include "model/testing/gguf_writer.h"
#include "model/testing/says.h"
#include "model/testing/tiny_llama.h"

namespace presil {
namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

struct Case {
  Format format;
  std::size_t byte;       // of a block, where the high byte of its last scale or element lies
  std::uint8_t infinite;  // what makes it NaN or infinite
};
constexpr Case kCases[] = {
    {Format::fp32, 3, 0x7f},     {Format::fp16, 1, 0x7c},   {Format::bf16, 1, 0x7f},
    {Format::q8_0, 1, 0x7c},     {Format::q4_0, 1, 0xfc},   {Format::q4_1, 3, 0x7e},
    {Format::q5_0, 1, 0x7c},     {Format::q5_1, 3, 0x7c},   {Format::q4_K, 3, 0x7c},
    {Format::q5_K, 3, 0x7c},     {Format::q6_K, 209, 0x7c}, {Format::fp8_e4m3, 0, 0xff},
    {Format::fp8_e5m2, 0, 0xfc},
};

TEST(Finite, ABadElementOrScaleIsFoundInEveryFormat) {
  for (const Case& c : kCases) {
    const FormatInfo& format = info(c.format);
    // Three rows of two blocks; in every format all bits set but those of scales are finite.
    std::string bytes = testing::encode(
        c.format, std::vector<float>(static_cast<std::size_t>(6 * format.block_elements), 1.5f));
    const WeightTensor tensor{
        "t",           c.format, {3, 2 * format.block_elements}, std::as_bytes(std::span(bytes)),
        Scaling::none, {}};
    EXPECT_FALSE(find_not_finite(tensor)) << format.name;

    const std::size_t block = 3;  // the second of the second row
    bytes[block * static_cast<std::size_t>(format.block_bytes) + c.byte] =
        static_cast<char>(c.infinite);
    if (c.format == Format::fp32 || c.format == Format::bf16) {
      bytes[block * static_cast<std::size_t>(format.block_bytes) + c.byte - 1] = '\x80';
    }
    const auto found = find_not_finite(tensor);
    ASSERT_TRUE(found) << format.name;
    EXPECT_EQ(found->row, 1) << format.name;
    EXPECT_EQ(found->column, format.block_elements) << format.name;
    EXPECT_EQ(found->in_scale, is_block_format(c.format)) << format.name;
  }
}

TEST(Finite, TheFirstOfManyIsNamedInALargeTensor) {
  std::vector<float> values(3 * 1024 * 1024, 1.0f);  // 12 MiB: more than a thread takes at a time
  for (const std::size_t bad : {11'000'000u / 4, 9'000'003u / 4, 12'000'000u / 4}) {
    values[bad] = kNaN;
  }
  const WeightTensor tensor{
      "t", Format::fp32, {3072, 1024}, std::as_bytes(std::span(values)), Scaling::none, {}};
  const auto found = find_not_finite(tensor);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->row, 9'000'003 / 4 / 1024);
  EXPECT_EQ(found->column, 9'000'003 / 4 % 1024);
}

TEST(Finite, ScalesStoredApartCount) {
  const std::string bytes(256 * 300, '\x38');
  WeightTensor tensor{"t",
                      Format::fp8_e4m3,
                      {256, 300},
                      std::as_bytes(std::span(bytes)),
                      Scaling::block_128,
                      {1, 1, 1, 1, kNaN, 1}};  // two rows of three blocks
  const auto block = find_not_finite(tensor);
  ASSERT_TRUE(block);
  EXPECT_EQ(block->row, 128);
  EXPECT_EQ(block->column, 128);
  EXPECT_TRUE(block->in_scale);

  tensor.scaling = Scaling::channel;
  tensor.scales.assign(256, 1);
  tensor.scales[7] = std::numeric_limits<float>::infinity();
  EXPECT_EQ(find_not_finite(tensor)->row, 7);
}

TEST(Finite, WeightsNameFileTensorRowAndColumn) {
  const auto refusal_of = [](Format format, std::size_t byte) {
    testing::TinyLlama model;
    model.matrices = format;
    std::string file = testing::tiny_llama(model);
    const std::string up = testing::encode(format, testing::tiny_tensors(model)[8].values);
    const std::size_t at = file.find(up) + byte;
    file[at] = '\xff';
    file[at + 1] = '\x7f';
    const Weights weights = Weights::open(testing::write_file("nan.gguf", file));
    return testing::refusal<InputError>(
        [&] { weights.check_finite(*weights.find("blk.0.ffn_up.weight")); });
  };
  // Rows of 64: 256 bytes in fp32, two blocks of 20 bytes in q4_1.
  EXPECT_TRUE(testing::says(refusal_of(Format::fp32, 5 * 256 + 3 * 4 + 2),
                            "nan.gguf: error: tensor 'blk.0.ffn_up.weight', row 5, column 3: the "
                            "weight is NaN or infinite"));
  EXPECT_TRUE(testing::says(refusal_of(Format::q4_1, 5 * 40 + 20 + 2),
                            "row 5, column 32: the scale of these weights is NaN or infinite"));
}

}  // namespace
}  // namespace presil
