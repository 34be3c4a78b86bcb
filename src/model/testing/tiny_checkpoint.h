// For tests: safetensors files, and the tiny model as a Hugging Face checkpoint.
#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.h"
#include "model/safetensors_names.h"
#include "model/testing/tiny_llama.h"

namespace presil::testing {

class SafetensorsWriter {
 public:
  SafetensorsWriter& tensor(std::string_view name, std::string_view dtype,
                            const std::vector<std::int64_t>& shape, const std::string& data) {
    return entry(name,
                 fmt::format(R"({{"dtype":"{}","shape":[{}],"data_offsets":[{},{}]}})", dtype,
                             fmt::join(shape, ","), data_.size(), data_.size() + data.size()),
                 data);
  }
  /// An entry whose JSON is taken as given.
  SafetensorsWriter& entry(std::string_view name, const std::string& json,
                           const std::string& data = "") {
    entries_.push_back(fmt::format(R"("{}":{})", name, json));
    data_ += data;
    return *this;
  }
  std::string bytes() const { return file(fmt::format("{{{}}}", fmt::join(entries_, ",")), data_); }

  static std::string file(const std::string& header, const std::string& data) {
    return raw(static_cast<std::uint64_t>(header.size())) + header + data;
  }

 private:
  std::vector<std::string> entries_;
  std::string data_;
};

inline std::string_view dtype_of(Format format) {
  switch (format) {
    case Format::fp32:
      return "F32";
    case Format::fp16:
      return "F16";
    case Format::bf16:
      return "BF16";
    case Format::fp8_e4m3:
      return "F8_E4M3";
    case Format::fp8_e5m2:
      return "F8_E5M2";
    default:
      throw InternalError("safetensors has no such dtype");
  }
}

/// GGUF's row (head, pair i, side j) of Wq and Wk is the checkpoint's (head, j, i), in models that
/// llama.cpp's converter permutes.
inline std::vector<float> unpermute(const std::vector<float>& rows, std::int64_t head,
                                    std::int64_t columns) {
  std::vector<float> out(rows.size());
  const auto n = static_cast<std::int64_t>(rows.size()) / columns;
  for (std::int64_t r = 0; r < n; ++r) {
    const std::int64_t within = r % head;
    const std::int64_t to = r - within + within % 2 * (head / 2) + within / 2;
    std::copy_n(rows.begin() + r * columns, columns, out.begin() + to * columns);
  }
  return out;
}

inline std::string tiny_config(const TinyLlama& m) {
  const std::string head(m.family == "llama"   ? "LlamaForCausalLM"
                         : m.family == "qwen2" ? "Qwen2ForCausalLM"
                                               : "Qwen3ForCausalLM");
  return fmt::format(
      R"({{"model_type":"{}","architectures":["{}"],"hidden_size":{},"intermediate_size":{},)"
      R"("num_hidden_layers":{},"num_attention_heads":{},"num_key_value_heads":{},"head_dim":{},)"
      R"("vocab_size":{},"rms_norm_eps":1e-5,"rope_theta":10000,"max_position_embeddings":128,)"
      R"("tie_word_embeddings":{},"torch_dtype":"float32"}})",
      m.family, head, m.d_model, m.d_ff, m.n_layers, m.n_heads, m.n_kv_heads, m.d_model / m.n_heads,
      kTinyVocabulary, m.tied);
}

/// Writes the model of tiny_llama(m), with the same numbers, to a folder of the test: config.json
/// and one file or `shards` with an index. Requires a format of safetensors, and no rope_freqs.
inline std::filesystem::path write_tiny_checkpoint(const std::string& folder, const TinyLlama& m,
                                                   std::size_t shards = 1) {
  std::vector<SafetensorsWriter> files(shards);
  std::string index;
  const auto shard_name = [&](std::size_t i) {
    return fmt::format("model-{:05}-of-{:05}.safetensors", i + 1, shards);
  };
  std::size_t n = 0;
  for (const TinyTensor& t : tiny_tensors(m)) {
    const bool permuted = m.family == "llama" &&
                          (t.name.ends_with("attn_q.weight") || t.name.ends_with("attn_k.weight"));
    const std::string data = encode(
        t.format, permuted ? unpermute(t.values, m.d_model / m.n_heads, t.shape.back()) : t.values);
    const std::string name = checkpoint_name(t.name);
    const std::size_t shard = n++ % shards;
    files[shard].tensor(name, dtype_of(t.format), t.shape, data);
    index += fmt::format(R"({}"{}":"{}")", index.empty() ? "" : ",", name, shard_name(shard));
  }
  const auto config = write_file(folder + "/config.json", tiny_config(m));
  if (shards == 1) {
    write_file(folder + "/model.safetensors", files.front().bytes());
    return config.parent_path();
  }
  for (std::size_t i = 0; i < shards; ++i) {
    write_file(folder + "/" + shard_name(i), files[i].bytes());
  }
  write_file(folder + "/model.safetensors.index.json",
             fmt::format(R"({{"metadata":{{}},"weight_map":{{{}}}}})", index));
  return config.parent_path();
}

}  // namespace presil::testing
