// tools_write_weights CONFIG.json OUT.gguf FORMAT [SEED]: a model of the config's shape with random
// weights, as large as the real one. For tests of size and speed where the real one cannot be had.
//
// The numbers of a row are a stretch, at random, of a pool that is encoded once: a file of 4.5 GB
// takes as long as the disk needs. Matrices are uniform with variance 1 / columns, so that
// activations keep their size from layer to layer.
#include <cmath>
#include <exception>
#include <iostream>
#include <map>
#include <random>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/document.h"
#include "base/error.h"
#include "model/architecture.h"
#include "model/gguf_writer.h"
#include "model/testing/tiny_llama.h"
#include "model/weight_shapes.h"

namespace presil {
namespace {

constexpr std::int64_t kPool = 1 << 20;         // elements
constexpr std::size_t kWriteAtOnce = 1u << 20;  // bytes

GgufHead keys_of(const Architecture& a) {
  const std::string family = a.family == "mistral" ? "llama" : a.family;  // as the converter does
  const auto key = [&](std::string_view name) { return fmt::format("{}.{}", family, name); };
  const auto count = [](std::int64_t n) { return static_cast<std::uint32_t>(n); };
  GgufHead head;
  head.string("general.architecture", family).string("general.name", a.name);
  head.u32(key("block_count"), count(a.n_layers)).u32(key("context_length"), count(a.max_context));
  head.u32(key("embedding_length"), count(a.d_model));
  head.u32(key("feed_forward_length"), count(a.d_ff));
  head.u32(key("attention.head_count"), count(a.n_heads));
  head.u32(key("attention.head_count_kv"), count(a.n_kv_heads));
  head.u32(key("attention.key_length"), count(a.head_dim));
  head.u32(key("attention.value_length"), count(a.head_dim));
  head.f32(key("attention.layer_norm_rms_epsilon"), static_cast<float>(a.norm_eps));
  head.f32(key("rope.freq_base"), static_cast<float>(a.rope_theta));
  head.u32(key("rope.dimension_count"), count(a.head_dim));
  head.u32(key("vocab_size"), count(a.vocab_size));
  testing::add_tiny_vocabulary(head, static_cast<std::size_t>(a.vocab_size));
  return head;
}

/// Encoded random numbers, of which rows of `columns` are cut.
class Pool {
 public:
  Pool(Format format, std::int64_t columns, std::uint64_t seed)
      : block_bytes_(static_cast<std::size_t>(info(format).block_bytes)),
        row_bytes_(static_cast<std::size_t>(bytes_of(format, columns).count())),
        random_(seed) {
    const float largest = std::sqrt(3 / static_cast<float>(columns));
    const std::int64_t elements = kPool + columns;
    bytes_ = testing::encode(
        format, testing::TinyRandom(seed).uniform(
                    elements / info(format).block_elements * info(format).block_elements, largest));
  }

  void write_rows(std::int64_t rows, std::ostream& out) {
    std::string buffer;
    const std::size_t starts = (bytes_.size() - row_bytes_) / block_bytes_ + 1;
    for (std::int64_t r = 0; r < rows; ++r) {
      buffer.append(bytes_, random_() % starts * block_bytes_, row_bytes_);
      if (buffer.size() < kWriteAtOnce && r + 1 < rows) continue;
      out << buffer;
      buffer.clear();
    }
  }

 private:
  std::size_t block_bytes_;
  std::size_t row_bytes_;
  std::string bytes_;
  std::mt19937_64 random_;  // the standard fixes its numbers
};

/// What divides the frequencies to give those of the config's scaling.
std::vector<float> rope_divisors(const Architecture& a) {
  Architecture plain = a;
  plain.rope_scaling = {};
  const std::vector<double> before = rope_frequencies(plain);
  const std::vector<double> after = rope_frequencies(a);
  std::vector<float> divisors;
  for (std::size_t i = 0; i < before.size(); ++i) {
    divisors.push_back(static_cast<float>(before[i] / after[i]));
  }
  return divisors;
}

GgufSource floats(const std::string& name, std::vector<float> values) {
  const auto n = static_cast<std::int64_t>(values.size());
  return {name, Format::fp32, {n}, [values = std::move(values)](std::ostream& out) {
            out << testing::encode(Format::fp32, values);
          }};
}

void write_weights(const Architecture& a, const std::filesystem::path& path, Format format,
                   std::uint64_t seed) {
  std::map<std::int64_t, Pool> pools;  // by columns
  std::vector<GgufSource> tensors;
  testing::TinyRandom random(seed);
  for (const auto& [name, shape] : tensor_shapes(a)) {
    if (shape.size() == 1) {
      std::vector<float> values = random.uniform(shape[0], 0.1f);
      for (float& v : values) v += name.ends_with("bias") ? 0.f : 1.f;
      tensors.push_back(floats(name, std::move(values)));
      continue;
    }
    if (shape[1] % info(format).block_elements != 0) {
      throw InputError(fmt::format("{}: rows of {} are not whole blocks of {}", name, shape[1],
                                   to_string(format)));
    }
    Pool& pool = pools.try_emplace(shape[1], format, shape[1], seed).first->second;
    tensors.push_back({name, format, shape, [&pool, rows = shape[0]](std::ostream& out) {
                         pool.write_rows(rows, out);
                       }});
  }
  if (a.rope_scaling.kind != RopeScaling::Kind::none) {
    tensors.push_back(floats("rope_freqs.weight", rope_divisors(a)));
  }
  write_gguf(path, keys_of(a), tensors);
}

Format parse_format(const std::string& name) {
  for (const GgmlFormat& f : ggml_formats()) {
    if (to_string(f.format) == name) return f.format;
  }
  throw InputError(fmt::format("{} is not a format of GGUF files", name));
}

}  // namespace
}  // namespace presil

int main(int count, char** arguments) {
  using namespace presil;
  try {
    if (count != 4 && count != 5) throw InputError("usage: CONFIG.json OUT.gguf FORMAT [SEED]");
    const std::filesystem::path config = arguments[1];
    const Architecture a = read_config(read_document(config, Syntax::json), config.stem().string());
    write_weights(a, arguments[2], parse_format(arguments[3]),
                  count == 5 ? std::stoull(arguments[4]) : 1);
    return 0;
  } catch (const std::exception& e) {
    std::cerr << e.what() << '\n';
    return 2;
  }
}
