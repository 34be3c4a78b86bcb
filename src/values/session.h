// A session runs a program for its numbers, step after step, on the weights of a model.
//
// It goes kernel by kernel through the program, tile by tile in the order of the mapping that bind
// chose, and keeps the KV cache of each sequence between steps. Weights stay in their file and are
// taken apart by rows as they are needed. What a kernel stores is rounded to the format that the
// program gives the tensor. The bits depend on the program and the weights only.
//
// A program split over p chips runs as p ranks in one session, kernel by kernel side by side. Rank
// r holds piece r of each weight that is cut: rows of q, k, v, gate, up and the vocabulary, columns
// of attn_output and ffn_down. With fewer KV heads than ranks, neighbouring ranks keep the same KV
// head. An all-reduce adds the ranks' partial results, already rounded as they are stored, in the
// order of the ranks in fp32 and rounds the sum; what is added to the residual stream is rounded
// once more with it. An all-gather puts the ranks' columns side by side.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <span>
#include <vector>

#include "base/error.h"
#include "model/weights.h"
#include "program/bind.h"
#include "program/program.h"
#include "values/access_log.h"
#include "values/calibration.h"

namespace presil {

class Rank;
struct StepState;

/// Which tokens of a step the logits are of: each sequence's last, or all.
enum class LogitsOf { last, all };

struct SessionOptions {
  /// What inputs are divided by where numerics.smoothing is not 0, which then needs one. It must
  /// outlive the session.
  const Calibration* calibration = nullptr;
  /// Is told of all bytes that kernels dereference; a test's. It must outlive the session.
  AccessLog* log = nullptr;
  /// Called after each layer of a step with its residual stream: (tokens of the step, d_model).
  std::function<void(std::int64_t layer, std::span<const float> residual)> after_layer{};
  /// Called before each product with its input on rank 0: (rows, columns of the weights).
  std::function<void(const Kernel& kernel, std::int64_t layer, std::span<const float> input)>
      before_product{};
};

class Session {
 public:
  /// Keeps references to both. Throws InputError when the program needs a tensor that the weights
  /// lack or hold in another shape, when a chip's piece of a weight is not whole blocks of the
  /// file's format, and for smoothed numerics without a calibration.
  Session(const Program& program, const Weights& weights, SessionOptions options = {});
  ~Session();

  /// Runs one step. `new_tokens[i]` continues sequence i; their numbers and the contexts are those
  /// of bound.step, which has to follow on the steps run so far. Returns logits, a row of the
  /// vocabulary for each sequence's last token, or for every new token of all sequences. Throws
  /// InputError for a token outside the vocabulary, for weights that are not finite, naming tensor,
  /// row and column, and for numbers that stop being finite, naming layer and operator.
  std::vector<float> run(const BoundProgram& bound, std::span<const std::vector<int>> new_tokens,
                         LogitsOf logits_of = LogitsOf::last);

  /// What the program's argmax chose after the last token of each sequence in the last step.
  std::span<const int> chosen() const { return chosen_; }

  /// Tokens in the KV cache of a sequence.
  std::int64_t context(std::size_t sequence) const;

 private:
  void check_step(const BoundProgram& bound, std::span<const std::vector<int>> new_tokens) const;
  void begin(const BoundProgram& bound, std::span<const std::vector<int>> new_tokens,
             LogitsOf logits_of);
  void run_block(const BoundProgram& bound, std::size_t block, std::int64_t repetition);
  void check_weights(const Kernel& kernel, std::int64_t layer);
  void all_reduce(const Kernel& kernel);
  void all_gather(const Kernel& kernel);
  void choose(const Kernel& argmax);

  const Program& program_;
  const Weights& weights_;
  const Architecture& model_;
  const SessionOptions options_;
  std::vector<double> frequencies_;  // (head_dim / 2)
  std::vector<std::unique_ptr<Rank>> ranks_;
  std::vector<std::int64_t> contexts_;    // by sequence
  std::unique_ptr<StepState> state_;      // of the present step
  std::vector<int> chosen_;               // by sequence
  std::set<const WeightTensor*> finite_;  // looked through, which is done before the first use
};

}  // namespace presil
