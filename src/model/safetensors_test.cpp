#include "model/safetensors.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "model/gguf_cursor.h"
#include "model/testing/says.h"
#include "model/testing/tiny_checkpoint.h"

namespace presil {
namespace {

using testing::SafetensorsWriter;
using testing::says;

std::string refusal(const std::string& bytes) {
  return testing::refusal<InputError>(
      [&] { read_safetensors(std::as_bytes(std::span(bytes)), "x.safetensors"); });
}
/// Of a file with the one entry "t" of 4 bytes.
std::string refusal_of_entry(const std::string& json) {
  return refusal(SafetensorsWriter().entry("t", json, "abcd").bytes());
}

TEST(Safetensors, TensorsAreTheirNameTypeShapeAndBytes) {
  SafetensorsWriter writer;
  writer.tensor("b", "BF16", {2, 3}, "twelve bytes").tensor("a", "I64", {}, "8 bytes!");
  writer.entry("__metadata__", R"({"format":"pt","note":"\u00e9"})");
  const std::string file = writer.bytes();
  const SafetensorsTable table = read_safetensors(std::as_bytes(std::span(file)), "x");

  ASSERT_EQ(table.size(), 2u);
  EXPECT_EQ(table.at("b").dtype, "BF16");
  EXPECT_EQ(table.at("b").shape, (std::vector<std::int64_t>{2, 3}));
  EXPECT_EQ(as_text(table.at("b").data), "twelve bytes");
  EXPECT_TRUE(table.at("a").shape.empty());
  EXPECT_EQ(as_text(table.at("a").data), "8 bytes!");
}

TEST(Safetensors, TheHeaderMayEndInSpaces) {
  const std::string file = SafetensorsWriter::file("{}      ", "");
  EXPECT_TRUE(read_safetensors(std::as_bytes(std::span(file)), "x").empty());
}

TEST(SafetensorsRefuse, AFileCutShortAtAnyByte) {
  const std::string whole =
      SafetensorsWriter().tensor("a", "F32", {4}, std::string(16, 'x')).bytes();
  for (std::size_t length = 0; length < whole.size(); ++length) {
    const std::string message = refusal(whole.substr(0, length));
    EXPECT_TRUE(says(message, "x.safetensors: error: ")) << length;
    EXPECT_TRUE(says(message, "is the file cut short?")) << length;
  }
  EXPECT_TRUE(says(refusal(whole + "y"), "expected 16 bytes of data, found 17"));
}

TEST(SafetensorsRefuse, FlippedBytesNeverDoMoreThanRefuse) {
  SafetensorsWriter writer;
  writer.tensor("a", "F32", {2, 2}, std::string(16, 'x')).tensor("b", "F8_E4M3", {3}, "yyy");
  writer.entry("__metadata__", R"({"format":"pt"})");
  const std::string whole = writer.bytes();
  int refused = 0;
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const int change : {1, 2, 4, 8, 16, 32, 64, 128, 255}) {
      std::string flipped = whole;
      flipped[at] = static_cast<char>(flipped[at] ^ change);
      refused += refusal(flipped) == "accepted" ? 0 : 1;
    }
  }
  EXPECT_GT(refused, 500);
}

TEST(SafetensorsRefuse, AbsurdHeadersBeforeAllocating) {
  EXPECT_TRUE(says(refusal(testing::raw(~std::uint64_t{0}) + "{}"),
                   "length of the header: expected at most 100000000 bytes"));
  EXPECT_TRUE(says(refusal(testing::raw(std::uint64_t{99'000'000}) + "{}"),
                   "header: expected 99000000 bytes at offset 8, found 2 before the end"));
  EXPECT_TRUE(says(refusal(SafetensorsWriter::file(std::string(90'000, '['), "")),
                   "header: expected an object with an entry for each tensor, found an array"));
  EXPECT_TRUE(says(refusal(SafetensorsWriter().entry(std::string(600, 'n'), "{}").bytes()),
                   "expected a name of at most 512 characters, found 600"));
}

TEST(SafetensorsRefuse, HeadersThatAreNotOfTheFormat) {
  EXPECT_TRUE(says(refusal(SafetensorsWriter::file(R"({"a":)", "")), "header: malformed JSON"));
  EXPECT_TRUE(says(refusal(SafetensorsWriter::file("{} x", "")), "header: malformed JSON"));
  EXPECT_TRUE(says(refusal_of_entry("3"),
                   "tensor 't': expected a dtype, a shape and data_offsets, "
                   "found a number"));
  EXPECT_TRUE(says(refusal_of_entry("{}"), "found no dtype"));
  EXPECT_TRUE(says(refusal_of_entry(R"({"dtype":"F32","data_offsets":[0,4]})"), "found no shape"));
  EXPECT_TRUE(says(refusal_of_entry(R"({"dtype":"F32","shape":[1]})"), "found 0 data_offsets"));
  EXPECT_TRUE(says(refusal_of_entry(R"({"dtype":"F32","shape":[-1]})"), "found a negative number"));
  EXPECT_TRUE(says(refusal_of_entry(R"({"dtype":"F32","shape":[1.5]})"), "found a fraction"));
  EXPECT_TRUE(says(refusal_of_entry(R"({"dtype":"F32","shape":[[1]]})"), "found an array"));
  EXPECT_TRUE(says(refusal_of_entry(R"({"dtype":{}})"), "found an object inside an entry"));
  EXPECT_TRUE(says(refusal_of_entry(R"({"shape":[1],"shape":[1]})"), "found a second shape"));
  EXPECT_TRUE(says(refusal_of_entry(R"({"shape":[1,1,1,1,1,1,1,1,1]})"), "more than 8 numbers"));
}

TEST(SafetensorsRefuse, TypesSizesAndNames) {
  EXPECT_TRUE(says(refusal_of_entry(R"({"dtype":"Q9","shape":[1],"data_offsets":[0,4]})"),
                   "tensor 't': dtype \"Q9\" is not known; supported are F32, F16, BF16, F8_E4M3, "
                   "F8_E5M2"));
  EXPECT_TRUE(says(refusal_of_entry(R"({"dtype":"F32","shape":[2],"data_offsets":[0,4]})"),
                   "tensor 't': expected 8 bytes for its shape, found data_offsets [0, 4]"));
  EXPECT_TRUE(says(refusal_of_entry(R"({"dtype":"F32","shape":[1],"data_offsets":[4,0]})"),
                   "found data_offsets [4, 0]"));
  EXPECT_TRUE(says(
      refusal_of_entry(R"({"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,4]})"),
      "a dimension is absurd: 4294967296"));
  SafetensorsWriter twice;
  twice.tensor("t", "U8", {1}, "a").tensor("t", "U8", {1}, "b");
  EXPECT_TRUE(says(refusal(twice.bytes()), "tensor 't': appears twice"));
}

TEST(SafetensorsRefuse, GapsAndOverlaps) {
  const auto second_at = [](int begin) {
    SafetensorsWriter writer;
    writer.tensor("a", "U8", {4}, "aaaa");
    writer.entry(
        "b",
        fmt::format(R"({{"dtype":"U8","shape":[4],"data_offsets":[{},{}]}})", begin, begin + 4),
        "bbbb");
    return refusal(writer.bytes());
  };
  EXPECT_EQ(second_at(4), "accepted");
  EXPECT_TRUE(says(second_at(3),
                   "tensor 'b': expected data from offset 4 on, where the tensor "
                   "before it ends, found offset 3"));
  EXPECT_TRUE(says(second_at(5), "found offset 5"));
}

}  // namespace
}  // namespace presil
