// One chip of those that share a program: its piece of the weights, its activations and its KV
// heads. It runs kernels; what goes between chips is the session's.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include "model/weights.h"
#include "program/bind.h"
#include "values/access_log.h"
#include "values/attention.h"
#include "values/cache_rows.h"
#include "values/prepared_weight.h"
#include "values/step_state.h"
#include "values/vector_functions.h"

namespace presil {

class Rank {
 public:
  /// Throws InputError as Session does. Keeps references to program, weights and options.
  Rank(const Program& program, const Weights& weights, const SessionOptions& options, int rank);

  /// Makes room for the activations and the sequences of a step, which stays `state` until the
  /// next call.
  void begin(const BoundProgram& bound, const StepState& state);

  /// Runs a kernel that is no collective and no argmax, of `layer` of the model, and rounds what it
  /// stores. Throws InputError, with `place` and the kernel's name, for numbers that are not
  /// finite.
  void execute(const BoundKernel& kernel, const KernelPlace& place, std::int64_t layer);

  std::vector<float>& activation(int tensor) {
    return activations_[static_cast<std::size_t>(tensor)];
  }

  /// Throws InputError, naming layer and operator, unless `values` of tensor `index` are finite.
  void check_finite(const Kernel& kernel, const KernelPlace& place, int index,
                    std::span<const float> values) const;

 private:
  struct Cache {
    CacheRows keys, values;
  };

  void resolve_weights(const Weights& weights);
  void watch_caches(const BoundProgram& bound);
  void run_embed(const Kernel& kernel);
  void run_norm(const Kernel& kernel, std::int64_t repetition);
  void run_gemm(const BoundKernel& kernel, std::int64_t repetition, std::int64_t layer);
  void run_rope(const Kernel& kernel, const KernelPlace& place, std::int64_t layer);
  void run_attention(const BoundKernel& kernel, std::int64_t layer);

  const WeightView& weight(int tensor, std::int64_t repetition) const {
    return views_[static_cast<std::size_t>(tensor)][static_cast<std::size_t>(repetition)];
  }
  /// The arithmetic of a product: the head's is the one outside the layers.
  const ProductNumerics& numerics_of(const Kernel& product) const;
  /// The weights of a product, prepared when it is first run.
  std::span<const PreparedWeight> prepared(const Kernel& product, std::int64_t repetition,
                                           std::span<const float> divisors = {});
  /// The last product, if its weights are the embedding table.
  const Kernel* product_of_table(int table) const;

  const Program& program_;
  const Architecture& model_;
  const Numerics& numerics_;
  const SessionOptions& options_;
  const RopeLayout rope_layout_;
  const int rank_;
  const std::int64_t n_heads_, n_kv_heads_;  // of this chip
  const VectorUnit functions_;
  std::deque<WeightTap> taps_;                  // of the views, when there is a log
  std::vector<std::vector<WeightView>> views_;  // by tensor, then repetition
  std::map<std::pair<const Kernel*, std::int64_t>, std::vector<PreparedWeight>> prepared_;
  std::int64_t n_layers_ = 0;
  std::vector<std::vector<Cache>> caches_;       // by sequence, then layer
  std::vector<std::vector<float>> activations_;  // by tensor
  std::vector<float> keys_, values_;             // of one layer and sequence, on their way
  const StepState* state_ = nullptr;
};

}  // namespace presil
