// How far one arithmetic's answers are from another's: the logits of a candidate and of a reference
// at the same positions of the same text, both having read the text's own tokens before ("teacher
// forced").
//
// KL is the divergence sum over the vocabulary of p_reference * ln(p_reference / p_candidate), in
// nats and double precision, and exactly 0 for equal logits. Perplexity is exp of the mean of
// -ln p(the text's next token).
#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace presil {

/// The first position at which the two would write different tokens.
struct FirstDifference {
  std::int64_t position = 0;  // of the token in the text: after that many tokens
  int token = 0;              // of the candidate
  int reference_token = 0;
  friend bool operator==(const FirstDifference&, const FirstDifference&) = default;
};

struct Comparison {
  std::int64_t positions = 0;  // compared
  double mean_kl = 0;
  double max_kl = 0;
  std::int64_t max_kl_position = 0;  // the first with it, counted as in FirstDifference
  double top1_agreement = 1;         // share of positions where both choose the same token
  std::int64_t predicted = 0;        // positions with a next token in the text
  double perplexity = 1;             // of the text, as the candidate reads it
  double reference_perplexity = 1;
  std::optional<FirstDifference> first_difference;
};

class Comparer {
 public:
  /// The next position of the text: the logits after the tokens so far. `next_token` is the text's
  /// next token, or -1 at its end. Requires as many logits in both, at least one.
  void add(std::span<const float> logits, std::span<const float> reference, int next_token);

  /// Of all positions so far. Requires at least one.
  Comparison result() const;

 private:
  std::int64_t positions_ = 0, predicted_ = 0, agreed_ = 0;
  double kl_ = 0;  // summed
  double max_kl_ = 0;
  std::int64_t max_kl_position_ = 0;
  double surprise_ = 0, reference_surprise_ = 0;  // -ln p of the text's tokens, summed
  std::optional<FirstDifference> first_difference_;
};

}  // namespace presil
