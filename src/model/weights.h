// The weights of a model, memory-mapped and never copied.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/number_format.h"
#include "model/architecture.h"
#include "model/vocabulary.h"

namespace presil {

/// One tensor of the file. `shape` is slowest first: a matrix is (rows, columns) = (out, in), and a
/// row is whole blocks of its format.
struct WeightTensor {
  std::string name;  // GGUF's: "blk.0.attn_q.weight"
  Format format = Format::fp32;
  std::vector<std::int64_t> shape;
  std::span<const std::byte> data;
  // What the elements are multiplied with, where a file stores them apart: one scale (tensor), one
  // a row (channel), or one for 128 x 128 elements (block_128), row by row.
  Scaling scaling = Scaling::none;
  std::vector<float> scales;
};

/// Which dimensions rotary embedding pairs: GGUF's converter permutes Wq and Wk of llama-family
/// files so that (2i, 2i+1) pair; Hugging Face pairs (i, i + head_dim/2).
enum class RopeLayout { interleaved, halves };

class Weights {
 public:
  /// Opens a GGUF v3 file. Throws MissingInput (no file) or InputError (not GGUF, cut short, absurd
  /// counts, unsupported format, tensors that overlap or leave the file; says file, key, found and
  /// expected).
  static Weights open_gguf(const std::filesystem::path& path);
  /// Opens a Hugging Face checkpoint: a folder with config.json and model.safetensors or
  /// model.safetensors.index.json, or one of those two files. FP8 weights bring their scales.
  /// Throws MissingInput (no config.json, a shard that is not there) or InputError (a malformed
  /// config, index or header, a shard without what the index says, unsupported data types, tensors
  /// that are missing or of another shape).
  static Weights open_safetensors(const std::filesystem::path& path);
  /// Either of the two, by what `path` is: a folder or a .safetensors or .json file is a
  /// checkpoint, everything else a GGUF file.
  static Weights open(const std::filesystem::path& path);
  Weights(Weights&&) noexcept;
  Weights& operator=(Weights&&) noexcept;
  ~Weights();

  /// Named after the file or folder; `dtype` is the format of the first layer's ffn_gate.
  const Architecture& architecture() const;
  const Vocabulary& vocabulary() const;
  RopeLayout rope_layout() const;
  /// As rope_frequencies(architecture()), divided by the file's rope_freqs.weight where it has one
  /// (which is how GGUF stores the scaling of Llama 3.1): (head_dim / 2).
  std::vector<double> rope_frequencies() const;
  std::span<const WeightTensor> tensors() const;
  /// The tensor called `name`, or nullptr.
  const WeightTensor* find(std::string_view name) const;
  /// The bytes of all files.
  Bytes file_size() const;
  /// What was opened.
  const std::filesystem::path& path() const;
  /// Throws InputError with file, tensor, row and column when `tensor`, one of tensors(), holds NaN
  /// or infinity. Reads the tensor once, at the speed of memory; opening does not do it.
  void check_finite(const WeightTensor& tensor) const;

 private:
  struct State;
  explicit Weights(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace presil
