// Checkpoints of Hugging Face: config.json and safetensors, through Weights.
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

#include "base/error.h"
#include "model/testing/says.h"
#include "model/testing/tiny_checkpoint.h"
#include "model/weights.h"

namespace presil {
namespace {

namespace fs = std::filesystem;
using testing::encode;
using testing::refusal;
using testing::SafetensorsWriter;
using testing::says;
using testing::TinyLlama;
using testing::write_file;
using testing::write_tiny_checkpoint;

std::string text_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string bytes_of_tensor(const Weights& weights, const char* name) {
  const auto data = weights.find(name)->data;
  return {reinterpret_cast<const char*>(data.data()), data.size()};
}

std::string open_refusal(const fs::path& path) {
  return refusal<InputError>([&] { Weights::open(path); });
}

TEST(Checkpoint, IsTheModelOfTheGgufFile) {
  for (const char* family : {"llama", "qwen2", "qwen3"}) {
    TinyLlama model;
    model.family = family;
    const Weights gguf = Weights::open(write_file("same.gguf", testing::tiny_llama(model)));
    const Weights hf = Weights::open(write_tiny_checkpoint(std::string("same-") + family, model));

    Architecture a = gguf.architecture();
    a.name = std::string("same-") + family;
    a.eos_tokens.clear();  // which config.json does not name
    a.bos_token = -1;
    EXPECT_EQ(hf.architecture(), a);
    EXPECT_EQ(hf.rope_layout(), RopeLayout::halves);
    ASSERT_EQ(hf.tensors().size(), gguf.tensors().size());
    for (const WeightTensor& t : gguf.tensors()) {
      ASSERT_NE(hf.find(t.name), nullptr) << t.name;
      EXPECT_EQ(hf.find(t.name)->shape, t.shape) << t.name;
      const bool permuted = t.name.ends_with("attn_q.weight") || t.name.ends_with("attn_k.weight");
      if (permuted && gguf.rope_layout() == RopeLayout::interleaved) continue;
      EXPECT_EQ(bytes_of_tensor(hf, t.name.c_str()), bytes_of_tensor(gguf, t.name.c_str()))
          << t.name;
    }
  }
}

TEST(Checkpoint, PairsOfAHeadLieHalfAHeadApart) {
  const TinyLlama model;  // heads of 16
  const Weights gguf = Weights::open(write_file("rows.gguf", testing::tiny_llama(model)));
  const Weights hf = Weights::open(write_tiny_checkpoint("rows", model));
  const std::size_t row = 64 * sizeof(float);
  const std::string of_gguf = bytes_of_tensor(gguf, "blk.0.attn_q.weight");
  const std::string of_hf = bytes_of_tensor(hf, "blk.0.attn_q.weight");

  EXPECT_EQ(of_hf.substr((16 + 3) * row, row), of_gguf.substr((16 + 6) * row, row));
  EXPECT_EQ(of_hf.substr((16 + 8 + 3) * row, row), of_gguf.substr((16 + 7) * row, row));
}

TEST(Checkpoint, ShardsAreOneModel) {
  const TinyLlama model;
  const fs::path single = write_tiny_checkpoint("single", model);
  const fs::path folder = write_tiny_checkpoint("sharded", model, 3);
  const Weights one = Weights::open(single / "model.safetensors");
  const Weights many = Weights::open(folder);

  ASSERT_EQ(many.tensors().size(), one.tensors().size());
  for (const WeightTensor& t : one.tensors()) {
    EXPECT_EQ(bytes_of_tensor(many, t.name.c_str()), bytes_of_tensor(one, t.name.c_str()));
  }
  std::uintmax_t size = 0;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".safetensors") size += entry.file_size();
  }
  EXPECT_EQ(many.file_size(), Bytes(static_cast<std::int64_t>(size)));
  EXPECT_EQ(Weights::open(folder / "model.safetensors.index.json").tensors().size(),
            one.tensors().size());
}

TEST(Checkpoint, EveryFormatOfWeights) {
  for (const Format format : {Format::fp16, Format::bf16, Format::fp8_e4m3, Format::fp8_e5m2}) {
    TinyLlama model;
    model.matrices = format;
    const auto folder = write_tiny_checkpoint("as-" + std::string(to_string(format)), model);
    const Weights weights = Weights::open(folder);
    EXPECT_EQ(weights.find("blk.0.ffn_up.weight")->format, format);
    EXPECT_EQ(weights.architecture().dtype, format);
  }
}

/// The tiny model as a single file, with what `extra` adds.
fs::path with_extra(const std::string& folder, const TinyLlama& model,
                    const std::function<void(SafetensorsWriter&)>& extra) {
  SafetensorsWriter writer;
  for (const auto& t : testing::tiny_tensors(model)) {
    writer.tensor(checkpoint_name(t.name), testing::dtype_of(t.format), t.shape,
                  encode(t.format, t.values));
  }
  extra(writer);
  write_file(folder + "/config.json", testing::tiny_config(model));
  return write_file(folder + "/model.safetensors", writer.bytes());
}

TEST(Checkpoint, Fp8BringsItsScales) {
  TinyLlama model;
  model.matrices = Format::fp8_e4m3;
  model.d_ff = 160;  // two blocks of 128, the second short
  const std::vector<float> by_row(64, 0.5f);
  const Weights weights = Weights::open(with_extra("scales", model, [&](SafetensorsWriter& w) {
    w.tensor("model.layers.0.self_attn.q_proj.weight_scale", "F32", {}, testing::raw(0.25f));
    w.tensor("model.layers.0.self_attn.o_proj.weight_scale", "BF16", {64, 1},
             encode(Format::bf16, by_row));
    w.tensor("model.layers.0.mlp.up_proj.weight_scale_inv", "F32", {2, 1},
             testing::raw(2.0f) + testing::raw(3.0f));
    w.tensor("model.layers.0.self_attn.q_proj.input_scale", "F32", {}, testing::raw(1.0f));
    w.tensor("model.layers.0.self_attn.k_proj.k_scale", "F32", {1}, testing::raw(1.0f));
    w.tensor("model.layers.0.self_attn.rotary_emb.inv_freq", "F64", {0}, "");
  }));

  const WeightTensor* q = weights.find("blk.0.attn_q.weight");
  EXPECT_EQ(q->scaling, Scaling::tensor);
  EXPECT_EQ(q->scales, std::vector<float>{0.25f});
  const WeightTensor* o = weights.find("blk.0.attn_output.weight");
  EXPECT_EQ(o->scaling, Scaling::channel);
  EXPECT_EQ(o->scales, by_row);
  const WeightTensor* up = weights.find("blk.0.ffn_up.weight");
  EXPECT_EQ(up->scaling, Scaling::block_128);
  EXPECT_EQ(up->scales, (std::vector<float>{2, 3}));
  EXPECT_EQ(weights.find("blk.1.ffn_up.weight")->scaling, Scaling::none);
}

TEST(Checkpoint, ATiedHeadThatWasSavedIsNotRead) {
  const Weights weights = Weights::open(with_extra(
      "tied", {}, [](SafetensorsWriter& w) { w.tensor("lm_head.weight", "F32", {1}, "abcd"); }));
  EXPECT_EQ(weights.find("output.weight"), nullptr);
}

TEST(CheckpointRefuse, ScalesThatFitNoScaling) {
  const auto with_scale = [](const char* folder, Format format, const std::string& name,
                             const std::vector<std::int64_t>& shape) {
    TinyLlama model;
    model.matrices = format;
    std::int64_t n = 1;
    for (const std::int64_t d : shape) n *= d;
    const std::vector<float> scales(static_cast<std::size_t>(n), 1);
    return open_refusal(with_extra(folder, model, [&](SafetensorsWriter& w) {
      w.tensor(name, "F32", shape, encode(Format::fp32, scales));
    }));
  };
  const std::string up = "model.layers.0.mlp.up_proj.weight_scale";
  EXPECT_TRUE(says(with_scale("s1", Format::fp8_e4m3, up, {7}),
                   "up_proj.weight_scale': expected one scale, one for each of 96 rows, or (1, 1) "
                   "for blocks of 128 x 128, found the shape (7)"));
  EXPECT_TRUE(says(with_scale("s2", Format::bf16, up, {1}), "not an F8 matrix"));
  EXPECT_TRUE(says(with_scale("s3", Format::fp8_e4m3, "model.layers.9.x.weight_scale", {1}),
                   "scales without the tensor 'model.layers.9.x.weight'"));
}

TEST(CheckpointRefuse, NamesAreTheCheckpointsOwn) {
  TinyLlama model;
  model.n_layers = 1;
  const fs::path path = with_extra("names", model, [](SafetensorsWriter&) {});
  std::string config = testing::tiny_config(model);
  config.replace(config.find(R"("num_hidden_layers":1)"), 21, R"("num_hidden_layers":2)");
  write_file("names/config.json", config);
  EXPECT_TRUE(says(open_refusal(path),
                   "missing tensor 'model.layers.1.self_attn.k_proj.weight' and 8 more"));

  write_file("names/config.json", testing::tiny_config({.n_layers = 1, .d_ff = 100}));
  EXPECT_TRUE(says(open_refusal(path),
                   "tensor 'model.layers.0.mlp.down_proj.weight': expected the "
                   "shape (64, 100), found (64, 96)"));

  const fs::path odd = with_extra("odd", model, [](SafetensorsWriter& w) {
    w.tensor("model.layers.0.mlp.experts.0.weight", "F32", {1}, "abcd");
  });
  EXPECT_TRUE(says(open_refusal(odd),
                   "tensor 'model.layers.0.mlp.experts.0.weight': not part of "
                   "a llama model, or not supported yet"));
}

TEST(CheckpointRefuse, DataTypesOfWeights) {
  SafetensorsWriter writer;
  writer.tensor("model.embed_tokens.weight", "I8", {4}, "abcd");
  write_file("int8/config.json", testing::tiny_config({}));
  EXPECT_TRUE(says(open_refusal(write_file("int8/model.safetensors", writer.bytes())),
                   "tensor 'model.embed_tokens.weight': dtype I8 is not supported yet; supported "
                   "are F32, F16, BF16, F8_E4M3, F8_E5M2"));
}

TEST(CheckpointRefuse, ShardsThatAreNotThereOrCutShort) {
  const fs::path folder = write_tiny_checkpoint("broken", {}, 2);
  const fs::path second = folder / "model-00002-of-00002.safetensors";
  const std::string whole = text_of(second);

  fs::resize_file(second, whole.size() - 1);
  EXPECT_TRUE(says(open_refusal(folder), "model-00002-of-00002.safetensors: error: expected"));
  EXPECT_TRUE(says(open_refusal(folder), "is the file cut short?"));

  write_file("broken/" + second.filename().string(), SafetensorsWriter().bytes());
  EXPECT_TRUE(
      says(open_refusal(folder), "model-00002-of-00002.safetensors: error: missing tensor"));
  EXPECT_TRUE(says(open_refusal(folder), "which model.safetensors.index.json says is here"));

  fs::remove(second);
  EXPECT_TRUE(says(refusal<MissingInput>([&] { Weights::open(folder); }),
                   "model-00002-of-00002.safetensors: no such file"));
}

TEST(CheckpointRefuse, AnIndexThatIsNotOne) {
  const auto with_index = [](const std::string& json) {
    write_file("index/config.json", testing::tiny_config({}));
    return open_refusal(write_file("index/model.safetensors.index.json", json));
  };
  EXPECT_TRUE(says(with_index("{}"), "weight_map: expected an object"));
  EXPECT_TRUE(says(with_index(R"({"weight_map":{"a":"../../etc/x.safetensors"}})"),
                   "expected the name of a .safetensors file beside the index, found "
                   "\"../../etc/x.safetensors\""));
  EXPECT_TRUE(says(with_index(R"({"weight_map":{"a":["b"]}})"), "model.safetensors.index.json:1:"));
  EXPECT_TRUE(says(with_index("{"), "model.safetensors.index.json:2:1: error: "));
}

TEST(CheckpointRefuse, FoldersWithoutConfigOrWeights) {
  const fs::path lonely = write_file("lonely/model.safetensors", SafetensorsWriter().bytes());
  EXPECT_TRUE(says(refusal<MissingInput>([&] { Weights::open(lonely); }),
                   "config.json: no such file; it says what the tensors of model.safetensors are"));
  const fs::path config = write_file("empty/config.json", testing::tiny_config({}));
  EXPECT_TRUE(says(refusal<MissingInput>([&] { Weights::open(config.parent_path()); }),
                   "expected model.safetensors.index.json or model.safetensors in this folder"));
}

}  // namespace
}  // namespace presil
