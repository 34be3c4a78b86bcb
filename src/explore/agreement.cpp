#include "explore/agreement.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/number_format.h"

namespace presil {
namespace {

constexpr double kExact = 1e-5;  // of a probability, and of logits relative to their norm

/// Steps whose lead is over `gap` are decided: our choice has to be the reference's there. Returns
/// how many are not.
std::int64_t count_choices(std::span<VerifiedPrompt> prompts, double gap) {
  std::int64_t others = 0;
  for (VerifiedPrompt& p : prompts) {
    for (std::size_t i = 0; i < p.gaps.size(); ++i) {
      if (p.gaps[i] <= gap) continue;
      p.choices_decided += 1;
      p.choices_equal += p.equal[i] ? 1 : 0;
    }
    others += p.choices_decided - p.choices_equal;
  }
  return others;
}

/// The largest of a member over all prompts.
double largest(std::span<const VerifiedPrompt> prompts, double VerifiedPrompt::*member) {
  double result = 0;
  for (const VerifiedPrompt& p : prompts) result = std::max(result, p.*member);
  return result;
}

Claim at_most(std::string text, double found, double limit) {
  return {.weights = {},
          .claim = std::move(text),
          .found = found,
          .limit = limit,
          .holds = found <= limit};
}

std::vector<Claim> of_weights(const std::string& weights, std::vector<Claim> claims) {
  for (Claim& c : claims) c.weights = weights;
  return claims;
}

}  // namespace

std::vector<float> probabilities(std::span<const float> logits) {
  const double largest = *std::max_element(logits.begin(), logits.end());
  std::vector<double> weights(logits.size());
  std::transform(logits.begin(), logits.end(), weights.begin(),
                 [&](float logit) { return std::exp(logit - largest); });
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  std::vector<float> p(logits.size());
  std::transform(weights.begin(), weights.end(), p.begin(),
                 [&](double weight) { return static_cast<float>(weight / sum); });
  return p;
}

double largest_difference(std::span<const float> a, std::span<const float> b) {
  double result = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    result = std::max<double>(result, std::abs(a[i] - b[i]));
  }
  return result;
}

double lead(std::span<const float> p, int chosen) {
  const auto at = static_cast<std::size_t>(chosen);
  float second = 0;
  for (std::size_t i = 0; i < p.size(); ++i) {
    if (i != at) second = std::max(second, p[i]);
  }
  return p[at] - second;
}

double relative_error(std::span<const float> found, std::span<const double> expected) {
  double difference = 0;
  double norm = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    difference += (found[i] - expected[i]) * (found[i] - expected[i]);
    norm += expected[i] * expected[i];
  }
  return std::sqrt(difference / norm);
}

bool VerifiedPrompt::tokens_equal() const {
  return std::find(equal.begin(), equal.end(), false) == equal.end();
}

std::vector<Claim> judge_against_llama_cpp(std::span<VerifiedPrompt> prompts) {
  const std::string weights = prompts.front().weights;
  const double difference = largest(prompts, &VerifiedPrompt::max_probability_difference);
  const double spread = largest(prompts, &VerifiedPrompt::reference_spread);
  const auto tokenised = std::count_if(prompts.begin(), prompts.end(), [](const VerifiedPrompt& p) {
    return !p.prompt_tokens_equal;
  });
  const Claim tokens =
      at_most("prompts that become other tokens", static_cast<double>(tokenised), 0);
  if (weights == to_string(Format::fp32)) {
    const auto others = static_cast<double>(count_choices(prompts, kExact));
    return of_weights(weights,
                      {tokens, at_most("other choices", others, 0),
                       at_most("largest difference of a probability", difference, kExact)});
  }
  // A spread of nothing would ask for more than F32 weights do.
  const double limit = std::max(2 * spread, kExact);
  const auto others = static_cast<double>(count_choices(prompts, limit));
  return of_weights(
      weights, {tokens, at_most("other choices where the lead is over twice the spread", others, 0),
                at_most("largest difference of a probability, against twice the spread", difference,
                        limit)});
}

std::vector<Claim> judge_against_numpy(std::span<VerifiedPrompt> prompts) {
  const auto others = static_cast<double>(count_choices(prompts, kExact));
  const double error = largest(prompts, &VerifiedPrompt::logits_error);
  return of_weights(prompts.front().weights,
                    {at_most("other choices", others, 0),
                     at_most("largest relative error of a step's logits", error, kExact)});
}

}  // namespace presil
