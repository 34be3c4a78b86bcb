#include "model/weights.h"

#include <cstring>
#include <fstream>

#include <gtest/gtest.h>

#include "base/error.h"
#include "model/testing/says.h"
#include "model/testing/smollm2.h"
#include "model/testing/tiny_llama.h"

namespace presil {
namespace {

using testing::encode;
using testing::GgufWriter;
using testing::says;
using testing::tiny_llama;
using testing::tiny_llama_writer;
using testing::TinyLlama;
using Shape = std::vector<std::int64_t>;

Weights open(const std::string& bytes) {
  return Weights::open_gguf(testing::write_file("tiny.gguf", bytes));
}

std::string refusal(const std::string& bytes) {
  return testing::refusal<InputError>([&] { open(bytes); });
}

TEST(Weights, ReadTheArchitectureFromTheKeys) {
  const Weights weights = open(tiny_llama());
  const Architecture& a = weights.architecture();

  EXPECT_EQ(a.name, "tiny");
  EXPECT_EQ(a.family, "llama");
  EXPECT_EQ(a.n_layers, 2);
  EXPECT_EQ(a.d_model, 64);  // a u64 in the file; the others are u32
  EXPECT_EQ(a.d_ff, 96);
  EXPECT_EQ(a.n_heads, 4);
  EXPECT_EQ(a.n_kv_heads, 2);
  EXPECT_EQ(a.head_dim, 64 / 4);
  EXPECT_EQ(a.vocab_size, testing::kTinyVocabulary);
  EXPECT_EQ(a.norm_eps, 1e-5);  // 9.99999975e-06f in the file
  EXPECT_TRUE(a.tied_embeddings);
  EXPECT_EQ(weights.rope_layout(), RopeLayout::interleaved);
}

TEST(Weights, AHeadOfItsOwnMeansUntied) {
  TinyLlama model;
  model.tied = false;
  const Weights weights = open(tiny_llama(model));

  EXPECT_FALSE(weights.architecture().tied_embeddings);
  EXPECT_EQ(weights.find("output.weight")->shape, (Shape{testing::kTinyVocabulary, 64}));
}

TEST(Weights, ElementsAddUpToTheParameterCount) {
  for (const char* family : {"llama", "qwen2", "qwen3"}) {
    TinyLlama model;
    model.family = family;
    const Weights weights = open(tiny_llama(model));
    std::int64_t elements = 0;
    for (const WeightTensor& t : weights.tensors()) {
      std::int64_t n = 1;
      for (const std::int64_t d : t.shape) n *= d;
      elements += n;
    }
    EXPECT_EQ(elements, parameter_count(weights.architecture())) << family;
  }
}

TEST(Weights, QwenPairsHalvesOfAHead) {
  TinyLlama model;
  model.family = "qwen3";
  EXPECT_EQ(open(tiny_llama(model)).rope_layout(), RopeLayout::halves);
}

TEST(Weights, EveryFormatTakesItsBlocks) {
  for (const Format format :
       {Format::fp32, Format::fp16, Format::bf16, Format::q4_0, Format::q4_1, Format::q5_0,
        Format::q5_1, Format::q8_0, Format::q4_K, Format::q5_K, Format::q6_K}) {
    TinyLlama model;
    model.matrices = format;
    model.d_model = 256;  // of K-quants one block
    model.d_ff = 512;
    const Weights weights = open(tiny_llama(model));
    const WeightTensor* k = weights.find("blk.1.attn_k.weight");

    ASSERT_NE(k, nullptr);
    EXPECT_EQ(k->format, format);
    EXPECT_EQ(k->shape, (Shape{128, 256}));  // (2 kv heads of 64, d_model)
    const auto blocks = 128 * 256 / info(format).block_elements;
    EXPECT_EQ(k->data.size(), static_cast<std::size_t>(blocks * info(format).block_bytes));
    EXPECT_EQ(weights.architecture().dtype, format);
    const std::string head = encode(format, testing::tiny_tensors(model).front().values);
    const WeightTensor* first = weights.find("token_embd.weight");
    ASSERT_EQ(first->data.size(), head.size());
    EXPECT_EQ(std::memcmp(first->data.data(), head.data(), head.size()), 0);
  }
}

TEST(Weights, LayersMayHaveFormatsOfTheirOwn) {
  TinyLlama model;
  model.matrices = Format::q4_K;
  model.sensitive = Format::q6_K;  // as in Q4_K_M
  model.d_model = 256;
  model.d_ff = 256;
  const Weights weights = open(tiny_llama(model));
  EXPECT_EQ(weights.find("blk.0.attn_v.weight")->format, Format::q6_K);
  EXPECT_EQ(weights.find("blk.0.attn_k.weight")->format, Format::q4_K);
  EXPECT_EQ(weights.find("blk.1.attn_v.weight")->format, Format::q4_K);
  EXPECT_EQ(weights.architecture().dtype, Format::q4_K);
}

TEST(Weights, RopeFreqsDivideTheFrequencies) {
  TinyLlama model;
  const auto plain = open(tiny_llama(model)).rope_frequencies();
  model.rope_freqs = true;
  const Weights weights = open(tiny_llama(model));
  const auto divided = weights.rope_frequencies();

  float divisor = 0;
  std::memcpy(&divisor, weights.find("rope_freqs.weight")->data.data() + 3 * sizeof divisor,
              sizeof divisor);
  EXPECT_DOUBLE_EQ(divided[3], plain[3] / divisor);
}

TEST(Weights, VocabularyIsRead) {
  const Weights weights = open(tiny_llama());
  const Vocabulary& v = weights.vocabulary();
  EXPECT_EQ(v.model, "gpt2");
  EXPECT_EQ(v.pre, "smollm");
  EXPECT_EQ(v.tokens.size(), testing::kTinyVocabulary);
  EXPECT_EQ(v.tokens[static_cast<std::size_t>(v.bos)], "<|im_start|>");
  EXPECT_EQ(v.types[static_cast<std::size_t>(v.eos)], TokenType::control);
  EXPECT_EQ(v.merges.front(), "h e");
  EXPECT_FALSE(v.add_bos);
  EXPECT_EQ(weights.architecture().eos_tokens, std::vector<std::int64_t>{v.eos});
}

TEST(Weights, SmolLm2IsItsShippedConfig) {
  const auto file = testing::smollm2_file();
  if (!file) GTEST_SKIP() << testing::kNoSmolLm2;
  const Weights weights = Weights::open_gguf(*file);
  Architecture from_config = read_config(
      read_document(PRESIL_SOURCE_DIR "/models/smollm2-135m.json", Syntax::json), "smollm2-135m");
  from_config.dtype = Format::q4_1;  // the config speaks of the checkpoint, in bf16

  EXPECT_EQ(weights.architecture(), from_config);
  EXPECT_EQ(weights.find("token_embd.weight")->format, Format::q8_0);
}

TEST(WeightsRefuse, AFileThatIsNotThere) {
  EXPECT_THROW(Weights::open_gguf("/no/such.gguf"), MissingInput);
}

/// As small as it gets: 50 KB, of which the first 9 KB are keys and the table of tensors.
std::string smallest_llama() {
  TinyLlama model;
  model.n_layers = 1;
  model.d_model = 32;
  model.d_ff = 32;
  model.n_heads = 2;
  model.n_kv_heads = 1;
  return tiny_llama(model);
}
constexpr std::size_t kHead = 9000;

TEST(WeightsRefuse, AFileCutShortAtAnyByte) {
  const std::string whole = smallest_llama();
  const auto path = testing::write_file("cut.gguf", whole);
  for (std::size_t length = whole.size(); length > 0;) {
    length -= length > kHead ? std::min<std::size_t>(997, length - kHead) : 1;
    std::filesystem::resize_file(path, length);
    const auto message = testing::refusal<InputError>([&] { Weights::open_gguf(path); });
    ASSERT_TRUE(says(message, "cut.gguf: error: ")) << length;
    ASSERT_TRUE(says(message, "expected")) << length;
    ASSERT_TRUE(says(message, "found")) << length;
  }
}

TEST(WeightsRefuse, FlippedBytesNeverDoMoreThanRefuse) {
  const std::string whole = smallest_llama();
  const auto path = testing::write_file("flipped.gguf", whole);
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  const auto put = [&](std::size_t at, char byte) {
    file.seekp(static_cast<std::streamoff>(at));
    file.put(byte).flush();
  };
  int refused = 0;
  for (std::size_t at = 0; at < kHead; ++at) {
    const char flipped = static_cast<char>(whole[at] ^ (1 << at % 8));
    put(at, at % 3 == 0 ? '\xff' : flipped);
    const auto message = testing::refusal<InputError>([&] { Weights::open_gguf(path); });
    refused += message == "accepted" ? 0 : 1;
    put(at, whole[at]);
  }
  EXPECT_GT(refused, 1000);
}

TEST(WeightsRefuse, AMissingKeyIsNamed) {
  GgufWriter file;
  file.string("general.architecture", "llama");
  EXPECT_TRUE(says(refusal(file.bytes()), "missing key 'llama.block_count'"));
}

TEST(WeightsRefuse, AWrongTypeNamesKeyFoundAndExpected) {
  GgufWriter file;
  file.string("general.architecture", "llama").string("llama.block_count", "two");
  EXPECT_TRUE(says(refusal(file.bytes()), "llama.block_count: expected an integer, found string"));
}

TEST(WeightsRefuse, AnAbsurdLayerCount) {
  GgufWriter file;
  file.string("general.architecture", "llama").u32("llama.block_count", 4'000'000'000u);
  EXPECT_TRUE(
      says(refusal(file.bytes()), "llama.block_count: expected 1 to 1024, found 4000000000"));
}

TEST(WeightsRefuse, OtherArchitectures) {
  GgufWriter file;
  file.string("general.architecture", "mamba");
  EXPECT_TRUE(says(refusal(file.bytes()),
                   "general.architecture: \"mamba\" is not supported yet; expected one of llama"));
}

TEST(WeightsRefuse, AMissingTensorIsNamed) {
  GgufWriter file;
  TinyLlama model;
  testing::add_tiny_keys(file, model);
  testing::add_tiny_vocabulary(file);
  EXPECT_TRUE(says(refusal(file.bytes()), "missing tensor 'blk.0.attn_k.weight' and 19 more"));
}

TEST(WeightsRefuse, AShapeThatContradictsTheArchitecture) {
  TinyLlama model;
  std::string file = tiny_llama(model);
  const std::string name = "blk.0.ffn_up.weight";
  const std::size_t dims = file.find(name) + name.size() + 4;
  file.replace(dims, 8, testing::raw(std::uint64_t{32}));  // was 64; still inside the file
  EXPECT_TRUE(says(refusal(file),
                   "tensor 'blk.0.ffn_up.weight': expected the shape (96, 64), found (96, 32)"));
}

TEST(WeightsRefuse, RopeFreqsThatCannotDivide) {
  TinyLlama model;
  model.rope_freqs = true;
  std::string file = tiny_llama(model);
  const auto values = testing::tiny_tensors(model).back().values;
  file.replace(file.find(encode(Format::fp32, values)) + 4, 4, testing::raw(0.0f));
  EXPECT_TRUE(
      says(refusal(file), "tensor 'rope_freqs.weight': expected positive numbers, found 0 at 1"));
}

TEST(WeightsRefuse, ATensorThatIsNotPartOfTheModel) {
  GgufWriter file = tiny_llama_writer({});
  file.tensor("blk.0.attn_output.bias", Format::fp32, {64},
              encode(Format::fp32, std::vector<float>(64)));
  EXPECT_TRUE(says(refusal(file.bytes()), "tensor 'blk.0.attn_output.bias': not part of a llama"));
}

}  // namespace
}  // namespace presil
