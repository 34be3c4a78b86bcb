// References: other programs that run the same model on the same tokens, as child processes.
//
// llama.cpp is its own shared libraries from npm, driven by test/reference/llama_cpp.py; NumPy is
// test/oracle/forward.py, a forward pass in float64. Both answer with all logits of each step.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "base/child_process.h"
#include "explore/run.h"

namespace presil {

/// One step of llama.cpp's.
struct ReferenceStep {
  int chosen = 0;
  std::vector<float> logits;  // (vocabulary)
};

/// What llama.cpp was built as: its build for this CPU, or one for an older one.
class LlamaCpp {
 public:
  /// The builds that this CPU runs, the one that llama.cpp picks by itself first. Throws
  /// MissingInput where llama.cpp is not set up, and says what to do.
  static std::vector<std::string> builds(const Places& places);

  /// Loads `weights` in one build, for sequences of up to `context` tokens. Throws MissingInput.
  LlamaCpp(const Places& places, const std::filesystem::path& weights, const std::string& build,
           std::int64_t context);

  const std::string& build() const { return build_; }

  /// The tokens of a text, special ones parsed, after the BOS where the vocabulary asks for one.
  std::vector<int> tokens_of(const std::string& text);

  /// Starts a new sequence: `steps` calls of next() have to follow. `forced[i]` is given after
  /// step i, or else what that step chose.
  void start(std::span<const int> tokens, std::int64_t steps, std::span<const int> forced = {});
  ReferenceStep next();

 private:
  ChildProcess process_;
  std::string build_;
  std::size_t vocabulary_ = 0;
};

class NumpyForward {
 public:
  /// Throws MissingInput where Python or its packages cannot be had.
  NumpyForward(const Places& places, const std::filesystem::path& weights);

  /// The logits after each of the last `steps` of `tokens`: (steps, vocabulary).
  std::vector<double> logits(std::span<const int> tokens, std::int64_t steps);

 private:
  ChildProcess process_;
  std::size_t vocabulary_ = 0;
};

}  // namespace presil
