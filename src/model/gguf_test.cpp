#include "model/gguf.h"

#include <gtest/gtest.h>

#include "model/testing/gguf_writer.h"
#include "model/testing/says.h"

namespace presil {
namespace {

using testing::GgufWriter;
using testing::raw;
using testing::says;

/// Keeps the bytes that a Gguf looks into.
struct Parsed {
  explicit Parsed(std::string file_bytes)
      : bytes(std::move(file_bytes)), file(std::as_bytes(std::span(bytes)), "x.gguf") {}
  std::string bytes;
  Gguf file;
};

std::string refusal(const std::string& bytes) {
  return testing::refusal<InputError>([&] { Parsed{bytes}; });
}
std::string refusal(const GgufWriter& writer) {
  return refusal(writer.bytes());
}
std::string refusal(const GgufHead& keys) {
  return refusal(keys.bytes());
}

const std::string kFourFloats(16, '\0');

TEST(Gguf, ReadsKeysOfEveryIntegerType) {
  GgufWriter writer;
  writer.key("a", GgufType::u8, raw(std::uint8_t{200}))
      .key("b", GgufType::i8, raw(std::int8_t{-3}));
  writer.key("c", GgufType::u16, raw(std::uint16_t{65535}));
  writer.key("d", GgufType::i16, raw(std::int16_t{-300})).u32("e", 4'000'000'000u);
  writer.key("f", GgufType::i32, raw(std::int32_t{-70000})).u64("g", 1ull << 40);
  writer.key("h", GgufType::i64, raw(std::int64_t{-5}));
  const Parsed p(writer.bytes());
  const auto value = [&](const char* key) { return p.file.integer(key, INT64_MIN, INT64_MAX); };

  EXPECT_EQ(value("a"), 200);
  EXPECT_EQ(value("b"), -3);
  EXPECT_EQ(value("c"), 65535);
  EXPECT_EQ(value("d"), -300);
  EXPECT_EQ(value("e"), 4'000'000'000);
  EXPECT_EQ(value("f"), -70000);
  EXPECT_EQ(value("g"), std::int64_t{1} << 40);
  EXPECT_EQ(value("h"), -5);
  EXPECT_EQ(value("nothing"), std::nullopt);
}

TEST(Gguf, ReadsNumbersFlagsTextsAndArrays) {
  const std::vector<std::string> words = {"a", "", "bc"};
  const std::vector<std::int32_t> types = {1, -2};
  GgufWriter writer;
  writer.f32("eps", 1e-6f).key("half", GgufType::f64, raw(0.5)).flag("yes", true);
  writer.string("name", "tiny").strings("words", words).integers("types", types);
  const Parsed p(writer.bytes());

  EXPECT_EQ(p.file.number("eps"), 1e-6);
  EXPECT_EQ(p.file.number("half"), 0.5);
  EXPECT_EQ(p.file.flag("yes"), true);
  EXPECT_EQ(p.file.text("name"), "tiny");
  EXPECT_EQ(p.file.texts("words"), words);
  EXPECT_EQ(p.file.integers("types"), (std::vector<std::int64_t>{1, -2}));
}

TEST(Gguf, StepsOverNestedArrays) {
  const std::string pair = GgufWriter::array_head(GgufType::u8, 2) + "\1\2";
  GgufWriter writer;
  writer.key("nested", GgufType::array, GgufWriter::array_head(GgufType::array, 2) + pair + pair);
  writer.u32("after", 7);
  EXPECT_EQ(Parsed(writer.bytes()).file.integer("after", 0, 9), 7);
}

TEST(Gguf, TensorsStartAtTheAlignmentTheFileNames) {
  GgufWriter writer;
  writer.u32("general.alignment", 8);
  writer.entry("a", 0, {2}, 0, "abcdefgh").entry("b", 0, {2}, 8, "ABCDEFGH");
  const Parsed p(writer.bytes(8));

  ASSERT_EQ(p.file.tensors().size(), 2u);
  EXPECT_EQ(as_text(p.file.tensors()[1].data), "ABCDEFGH");
}

TEST(GgufRefuse, OtherFilesAndVersions) {
  EXPECT_TRUE(says(refusal("PK\3\4 a zip file with enough bytes"), "magic: expected \"GGUF\""));
  std::string file = GgufWriter().bytes();
  file[4] = 2;
  EXPECT_TRUE(says(refusal(file), "x.gguf: error: version: expected 3, found 2"));
  file.replace(4, 4, std::string("\0\0\0\3", 4));
  EXPECT_TRUE(says(refusal(file), "big-endian"));
}

TEST(GgufRefuse, AbsurdCountsBeforeAllocating) {
  std::string file = GgufWriter().u32("a", 1).bytes();
  std::string tensors = file;
  tensors.replace(8, 8, raw(std::uint64_t{1} << 60));
  EXPECT_TRUE(says(refusal(tensors), "tensor count: expected at most"));
  std::string keys = file;
  keys.replace(16, 8, raw(~std::uint64_t{0}));
  EXPECT_TRUE(says(refusal(keys), "key count: expected at most"));

  GgufWriter array;
  array.key("big", GgufType::array, GgufWriter::array_head(GgufType::u64, 1ull << 61));
  EXPECT_TRUE(says(refusal(array), "key 'big': expected at most"));
  GgufWriter text;
  text.key("long", GgufType::string, raw(~std::uint64_t{0}));
  EXPECT_TRUE(says(refusal(text), "key 'long': expected 18446744073709551615 bytes"));
}

TEST(GgufRefuse, DeeplyNestedArrays) {
  std::string value;
  for (int i = 0; i < 1000; ++i) value += GgufWriter::array_head(GgufType::array, 1);
  GgufWriter writer;
  writer.key("deep", GgufType::array, value);
  EXPECT_TRUE(says(refusal(writer), "key 'deep': arrays nested more than 4 deep"));
}

TEST(GgufRefuse, AKeyOrTensorGivenTwice) {
  EXPECT_TRUE(says(refusal(GgufWriter().u32("a", 1).u32("a", 2)), "key 'a': appears twice"));
  GgufWriter twice;
  twice.tensor("t", Format::fp32, {4}, kFourFloats).tensor("t", Format::fp32, {4}, kFourFloats);
  EXPECT_TRUE(says(refusal(twice), "tensor 't': appears twice"));
}

TEST(GgufRefuse, AnUnknownValueType) {
  EXPECT_TRUE(says(refusal(GgufWriter().key("a", static_cast<GgufType>(13), "")),
                   "key 'a': expected a value type from 0 to 12, found 13"));
}

TEST(GgufRefuse, AnUnsupportedFormatNamesItAndTheSupportedOnes) {
  const auto with = [](std::uint32_t type) {
    return refusal(GgufWriter().entry("t", type, {256}, 0, std::string(144, '\0')));
  };
  EXPECT_TRUE(says(with(10),
                   "tensor 't': type Q2_K is not supported yet; supported are F32, F16, BF16, "
                   "Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q4_K, Q5_K, Q6_K"));
  EXPECT_TRUE(says(with(20), "tensor 't': type IQ4_NL is not supported yet"));
  EXPECT_TRUE(says(with(15), "tensor 't': type Q8_K is not supported yet"));  // activations only
  EXPECT_TRUE(says(with(4242), "tensor 't': type number 4242 is not supported yet"));
}

TEST(GgufRefuse, TensorsThatAreNotAlignedOverlapOrLeaveTheFile) {
  const auto with = [](std::uint64_t offset) {
    GgufWriter writer;
    writer.tensor("a", Format::fp32, {16}, std::string(64, '\0'));
    writer.entry("b", 0, {16}, offset, std::string(64, '\0'));
    return refusal(writer);
  };
  EXPECT_EQ(with(64), "accepted");
  EXPECT_TRUE(says(with(65), "tensor 'b': expected an offset that is a multiple of 32, found 65"));
  EXPECT_TRUE(says(with(32), "tensor 'b': overlaps tensor 'a'"));
  EXPECT_TRUE(says(with(96),
                   "tensor 'b': expected 64 bytes at offset 96 of the data, found a data "
                   "section of 128 bytes"));
  EXPECT_TRUE(says(with(~std::uint64_t{31}), "is the file cut short?"));
}

TEST(GgufRefuse, AbsurdShapesAndNames) {
  const auto with = [](std::vector<std::int64_t> shape, std::uint32_t type) {
    return refusal(GgufWriter().entry("t", type, std::move(shape), 0, kFourFloats));
  };
  EXPECT_TRUE(says(with({1, 1, 1, 1, 4}, 0), "tensor 't': expected 1 to 4 dimensions, found 5"));
  EXPECT_TRUE(says(with({0}, 0), "dimension 0 is absurd: 0"));
  EXPECT_TRUE(says(with({std::int64_t{1} << 32, std::int64_t{1} << 32}, 0), "is absurd"));
  EXPECT_TRUE(
      says(with({33}, 8), "expected rows of whole blocks of 32 elements, found rows of 33"));
  EXPECT_TRUE(says(refusal(GgufWriter().entry(std::string(65, 'x'), 0, {4}, 0, kFourFloats)),
                   "a tensor's name: expected at most 64 characters, found 65"));
}

TEST(GgufRefuse, AnAlignmentThatIsNotAPowerOfTwo) {
  EXPECT_TRUE(says(refusal(GgufWriter().u32("general.alignment", 24)),
                   "general.alignment: expected a power of two, found 24"));
}

}  // namespace
}  // namespace presil
