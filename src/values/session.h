// A session runs a program for its numbers, step after step, on the weights of a model.
//
// It goes kernel by kernel through the program, tile by tile in the order of the mapping that bind
// chose, and keeps the KV cache of each sequence between steps. Weights stay in their file and are
// taken apart by rows as they are needed. The bits depend on the program and the weights only.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "model/weights.h"
#include "program/bind.h"
#include "program/program.h"
#include "values/rows.h"
#include "values/weight_view.h"

namespace presil {

class Session {
 public:
  /// Keeps references to both. Throws InputError when the program needs a tensor that the weights
  /// lack or hold in another shape or format, and for programs split over chips ("not yet").
  Session(const Program& program, const Weights& weights);

  /// Runs one step. `new_tokens[i]` continues sequence i; their numbers and the contexts are those
  /// of bound.step, which has to follow on the steps run so far. Returns the logits of each
  /// sequence's last token: (sequences, vocabulary). Throws InputError for a token outside the
  /// vocabulary and for numbers that stop being finite, naming layer and operator.
  std::vector<float> run(const BoundProgram& bound, std::span<const std::vector<int>> new_tokens);

  /// What the program's argmax chose for each sequence in the last step.
  std::span<const int> chosen() const { return chosen_; }

  /// Tokens in the KV cache of a sequence.
  std::int64_t context(std::size_t sequence) const;

 private:
  struct Cache {
    std::vector<float> keys, values;  // (tokens, n_kv_heads * head_dim)
  };

  void resolve_weights();
  void check_step(const BoundProgram& bound, std::span<const std::vector<int>> new_tokens) const;
  void begin(const BoundProgram& bound, std::span<const std::vector<int>> new_tokens);
  void execute(const BoundKernel& kernel, std::size_t layer);
  void check_finite(const Kernel& kernel, const std::string& block, std::int64_t layer,
                    std::int64_t repeat) const;

  void run_norm(const Kernel& kernel, std::size_t layer);
  void run_gemm(const BoundKernel& kernel, std::size_t layer);
  void run_rope(const Kernel& kernel, std::size_t layer);
  void run_attention(const BoundKernel& kernel, std::size_t layer);
  void run_argmax(const Kernel& kernel);

  std::vector<float>& activation(int tensor) {
    return activations_[static_cast<std::size_t>(tensor)];
  }
  const WeightView& weight(int tensor, std::size_t layer) const;

  const Program& program_;
  const Weights& weights_;
  const Architecture& model_;
  const Numerics& numerics_;
  std::vector<double> frequencies_;             // (head_dim / 2)
  std::vector<std::vector<WeightView>> views_;  // by tensor, then layer
  std::vector<std::vector<Cache>> caches_;      // by sequence, then layer
  std::vector<std::int64_t> contexts_;          // by sequence

  // The present step.
  Step step_;
  std::vector<int> tokens_;                      // of all sequences, one after another
  std::vector<Rotation> rotations_;              // by token
  std::vector<std::vector<float>> activations_;  // by tensor
  std::vector<int> chosen_;                      // by sequence
};

}  // namespace presil
