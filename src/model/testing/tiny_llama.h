// For tests: a tiny random model, the same on every machine, and the bytes of its GGUF file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "model/byte_level.h"
#include "model/testing/gguf_writer.h"

namespace presil::testing {

struct TinyLlama {
  std::string family = "llama";  // or qwen2 (with biases), qwen3 (with q and k norms)
  Format matrices = Format::fp32;
  bool tied = true;
  bool rope_freqs = false;
  std::uint32_t n_layers = 2;
  std::uint32_t d_model = 64;
  std::uint32_t d_ff = 96;
  std::uint32_t n_heads = 4;
  std::uint32_t n_kv_heads = 2;
  std::uint64_t seed = 1;
  std::uint32_t sliding_window = 0;
  // Of attn_v and ffn_down in every other layer, from the first on, as Q4_K_M files have q6_K.
  std::optional<Format> sensitive = std::nullopt;
};

/// The 256 bytes, a few merges, three control tokens, and unused ones up to this number.
constexpr std::uint32_t kTinyVocabulary = 288;

/// Uniform in [-scale, scale), from the top bits of splitmix64.
class TinyRandom {
 public:
  explicit TinyRandom(std::uint64_t seed) : state_(seed) {}
  std::vector<float> uniform(std::int64_t n, float scale) {
    std::vector<float> values;
    for (std::int64_t i = 0; i < n; ++i) {
      std::uint64_t z = state_ += 0x9e3779b97f4a7c15;
      z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
      z = (z ^ z >> 27) * 0x94d049bb133111eb;
      z ^= z >> 31;
      values.push_back((static_cast<float>(z >> 40) * 0x1p-23f - 1) * scale);
    }
    return values;
  }

 private:
  std::uint64_t state_;
};

inline std::vector<std::string> tiny_merges() {
  return {"h e", "l l", "he ll", "hell o", "Ġ w", "o r"};
}

/// Tokens up to number `size` - 1.
inline void add_tiny_vocabulary(GgufHead& file, std::size_t size = kTinyVocabulary) {
  std::vector<std::string> tokens;
  for (int b = 0; b < 256; ++b)
    tokens.push_back(to_byte_level(std::string(1, static_cast<char>(b))));
  const std::vector<std::string> merges = tiny_merges();
  for (const std::string& m : merges) {
    const std::size_t space = m.find(' ');
    tokens.push_back(m.substr(0, space) + m.substr(space + 1));
  }
  std::vector<std::int32_t> types(tokens.size(), 1);
  for (const char* special : {"<|endoftext|>", "<|im_start|>", "<|im_end|>"}) {
    tokens.emplace_back(special);
    types.push_back(3);
  }
  const auto n_specials_end = static_cast<std::uint32_t>(tokens.size());
  while (tokens.size() < size) {
    tokens.push_back(fmt::format("<unused{}>", tokens.size()));
    types.push_back(5);
  }
  file.string("tokenizer.ggml.model", "gpt2").string("tokenizer.ggml.pre", "smollm");
  file.strings("tokenizer.ggml.tokens", tokens).integers("tokenizer.ggml.token_type", types);
  file.strings("tokenizer.ggml.merges", merges);
  file.u32("tokenizer.ggml.bos_token_id", n_specials_end - 2);
  file.u32("tokenizer.ggml.eos_token_id", n_specials_end - 1);
  file.flag("tokenizer.ggml.add_bos_token", false);
}

inline void add_tiny_keys(GgufHead& file, const TinyLlama& m) {
  const auto key = [&](std::string_view name) { return fmt::format("{}.{}", m.family, name); };
  file.string("general.architecture", m.family);
  file.u32(key("block_count"), m.n_layers).u32(key("context_length"), 128);
  file.u64(key("embedding_length"), m.d_model).u32(key("feed_forward_length"), m.d_ff);
  file.u32(key("attention.head_count"), m.n_heads);
  file.u32(key("attention.head_count_kv"), m.n_kv_heads);
  file.f32(key("attention.layer_norm_rms_epsilon"), 1e-5f);
  file.f32(key("rope.freq_base"), 10000);
  file.u32(key("rope.dimension_count"), m.d_model / m.n_heads);
  file.u32(key("vocab_size"), kTinyVocabulary);
  if (m.sliding_window > 0) file.u32(key("attention.sliding_window"), m.sliding_window);
}

struct TinyTensor {
  std::string name;
  Format format;
  std::vector<std::int64_t> shape;
  std::vector<float> values;  // before they are encoded
};

/// All tensors, by GGUF's names and with GGUF's order of the rows of Wq and Wk.
inline std::vector<TinyTensor> tiny_tensors(const TinyLlama& m) {
  std::vector<TinyTensor> tensors;
  TinyRandom random(m.seed);
  const std::int64_t d = m.d_model, f = m.d_ff, head = d / m.n_heads, kv = m.n_kv_heads * head;
  const auto matrix_in = [&](Format format, const std::string& name, std::int64_t rows,
                             std::int64_t columns) {
    tensors.push_back({name, format, {rows, columns}, random.uniform(rows * columns, 0.25f)});
  };
  const auto matrix = [&](const std::string& name, std::int64_t rows, std::int64_t columns) {
    matrix_in(m.matrices, name, rows, columns);
  };
  const auto vector = [&](const std::string& name, std::int64_t n, float around) {
    auto values = random.uniform(n, 0.1f);
    for (float& v : values) v += around;
    tensors.push_back({name, Format::fp32, {n}, std::move(values)});
  };
  matrix("token_embd.weight", kTinyVocabulary, d);
  for (std::uint32_t i = 0; i < m.n_layers; ++i) {
    const std::string layer = fmt::format("blk.{}.", i);
    const Format sensitive = i % 2 == 0 ? m.sensitive.value_or(m.matrices) : m.matrices;
    vector(layer + "attn_norm.weight", d, 1);
    matrix(layer + "attn_q.weight", d, d);
    matrix(layer + "attn_k.weight", kv, d);
    matrix_in(sensitive, layer + "attn_v.weight", kv, d);
    matrix(layer + "attn_output.weight", d, d);
    if (m.family == "qwen2") {
      vector(layer + "attn_q.bias", d, 0);
      vector(layer + "attn_k.bias", kv, 0);
      vector(layer + "attn_v.bias", kv, 0);
    }
    if (m.family == "qwen3") {
      vector(layer + "attn_q_norm.weight", head, 1);
      vector(layer + "attn_k_norm.weight", head, 1);
    }
    vector(layer + "ffn_norm.weight", d, 1);
    matrix(layer + "ffn_gate.weight", f, d);
    matrix(layer + "ffn_up.weight", f, d);
    matrix_in(sensitive, layer + "ffn_down.weight", d, f);
  }
  vector("output_norm.weight", d, 1);
  if (!m.tied) matrix("output.weight", kTinyVocabulary, d);
  if (m.rope_freqs) vector("rope_freqs.weight", head / 2, 2);
  return tensors;
}

inline GgufWriter tiny_llama_writer(const TinyLlama& m) {
  GgufWriter file;
  add_tiny_keys(file, m);
  add_tiny_vocabulary(file);
  for (const TinyTensor& t : tiny_tensors(m)) {
    file.tensor(t.name, t.format, t.shape, encode(t.format, t.values));
  }
  return file;
}

inline std::string tiny_llama(const TinyLlama& m = {}) {
  return tiny_llama_writer(m).bytes();
}

}  // namespace presil::testing
