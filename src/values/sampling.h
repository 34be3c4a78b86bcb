// Sampling: from the logits of a step to the next token.
//
// In this order, each over what the one before left (as in llama.cpp):
// 1. repetition penalty: the logit of every token of the context so far (prompt included) is
//    divided by the penalty when it is positive, else multiplied by it (Keskar et al., CTRL);
// 2. top-k: the k largest logits stay;
// 3. top-p: the fewest of the largest whose probabilities reach p stay (nucleus);
// 4. min-p: those with at least p times the probability of the largest stay;
// 5. temperature: the logits are divided by it, and one token is drawn.
// Temperature 0 takes the largest logit after step 1. Ties go to the lower token.
//
// Draws come from a generator of our own, so a seed gives the same tokens everywhere.
#pragma once

#include <cstdint>
#include <set>
#include <span>
#include <vector>

namespace presil {

struct SamplingOptions {
  double temperature = 0;         // 0: greedy
  std::int64_t top_k = 0;         // 0: all
  double top_p = 1;               // 1: all
  double min_p = 0;               // 0: all
  double repetition_penalty = 1;  // 1: none
  std::uint64_t seed = 0;
  friend bool operator==(const SamplingOptions&, const SamplingOptions&) = default;
};

/// Throws InputError, naming the option of the command line, for a number out of its range and for
/// a filter that temperature 0 would ignore.
void check_sampling(const SamplingOptions& options);

/// Uniform numbers from a seed: splitmix64 (Steele, Lea, Flood 2014).
class UniformBits {
 public:
  explicit UniformBits(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next();
  /// In [0, 1), a multiple of 2^-53.
  double next_share();

 private:
  std::uint64_t state_;
};

class Sampler {
 public:
  /// Requires options that check_sampling() takes.
  explicit Sampler(const SamplingOptions& options) : options_(options), bits_(options.seed) {}

  /// `tokens` have joined the context; what choose() gives is not noted by itself.
  void note(std::span<const int> tokens) { seen_.insert(tokens.begin(), tokens.end()); }

  /// The next token. Requires at least one logit, all finite.
  int choose(std::span<const float> logits);

 private:
  SamplingOptions options_;
  UniformBits bits_;
  std::set<int> seen_;
};

}  // namespace presil
