#include "values/compare.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace presil {
namespace {

/// ln of the sum of exp(logit).
double log_sum(std::span<const float> logits) {
  const double largest = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const float logit : logits) sum += std::exp(logit - largest);
  return largest + std::log(sum);
}

int best_of(std::span<const float> logits) {
  return static_cast<int>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

double divergence(std::span<const float> logits, double total, std::span<const float> reference,
                  double reference_total) {
  double kl = 0;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    const double log_p = reference[i] - reference_total;
    kl += std::exp(log_p) * (log_p - (logits[i] - total));
  }
  return std::max(kl, 0.0);  // it is never negative, but its rounding can be
}

}  // namespace

void Comparer::add(std::span<const float> logits, std::span<const float> reference,
                   int next_token) {
  CHECK(!logits.empty() && logits.size() == reference.size(), "logits are of one vocabulary");
  ++positions_;
  const double total = log_sum(logits);
  const double reference_total = log_sum(reference);
  const double kl = divergence(logits, total, reference, reference_total);
  kl_ += kl;
  if (kl > max_kl_) {
    max_kl_ = kl;
    max_kl_position_ = positions_;
  }
  const int token = best_of(logits);
  const int reference_token = best_of(reference);
  if (token == reference_token) {
    ++agreed_;
  } else if (!first_difference_) {
    first_difference_ = {positions_, token, reference_token};
  }
  if (next_token < 0) return;
  ++predicted_;
  const auto next = static_cast<std::size_t>(next_token);
  surprise_ += total - logits[next];
  reference_surprise_ += reference_total - reference[next];
}

Comparison Comparer::result() const {
  CHECK(positions_ > 0, "a comparison compares something");
  const auto positions = static_cast<double>(positions_);
  const auto predicted = static_cast<double>(std::max<std::int64_t>(predicted_, 1));
  return {
      .positions = positions_,
      .mean_kl = kl_ / positions,
      .max_kl = max_kl_,
      .max_kl_position = max_kl_position_,
      .top1_agreement = static_cast<double>(agreed_) / positions,
      .predicted = predicted_,
      .perplexity = std::exp(surprise_ / predicted),
      .reference_perplexity = std::exp(reference_surprise_ / predicted),
      .first_difference = first_difference_,
  };
}

}  // namespace presil
