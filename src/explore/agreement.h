// How near two sets of logits are, and what is claimed of it.
//
// Nothing here runs a model: numbers in, claims out.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace presil {

/// The softmax of one row of logits.
std::vector<float> probabilities(std::span<const float> logits);

/// The largest difference of two equally long rows.
double largest_difference(std::span<const float> a, std::span<const float> b);

/// The lead of `chosen` over the likeliest other token.
double lead(std::span<const float> probabilities, int chosen);

/// |found - expected| / |expected|, in the Euclidean norm.
double relative_error(std::span<const float> found, std::span<const double> expected);

/// One prompt on one file of weights.
struct VerifiedPrompt {
  std::string name;
  std::string weights;  // "q4_1 + q8_0"
  std::int64_t prompt_tokens = 0;
  bool prompt_tokens_equal = false;  // our tokenizer and the reference's
  std::vector<bool> equal;           // by step: our choice is the reference's
  std::vector<double> gaps;          // by step: the reference's lead over its second choice
  double max_probability_difference = 0;
  double reference_spread = 0;       // of llama.cpp's builds
  std::int64_t choices_decided = 0;  // steps whose gap is over what the claim allows
  std::int64_t choices_equal = 0;    // of these, those with our choice the reference's
  double logits_error = 0;           // of NumPy's: |difference| / |logits|, the largest of a step

  bool tokens_equal() const;
};

struct Claim {
  std::string weights;
  std::string claim;
  double found = 0;
  double limit = 0;
  bool holds = false;
};

/// What is claimed of our ggml numerics against llama.cpp, on one file's prompts; sets their
/// choices_decided and choices_equal. Requires a prompt.
std::vector<Claim> judge_against_llama_cpp(std::span<VerifiedPrompt> prompts);

/// The same of our fp32 numerics against a forward pass in float64.
std::vector<Claim> judge_against_numpy(std::span<VerifiedPrompt> prompts);

}  // namespace presil
