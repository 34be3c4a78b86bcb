#include "values/sampling.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/error.h"

namespace presil {
namespace {

struct Candidate {
  int token;
  double logit;
};

bool is_before(const Candidate& a, const Candidate& b) {
  return a.logit != b.logit ? a.logit > b.logit : a.token < b.token;
}

/// exp(logit / temperature), of the largest logit 1.
std::vector<double> weights_of(std::span<const Candidate> candidates, double temperature) {
  const auto largest =
      std::max_element(candidates.begin(), candidates.end(),
                       [](const Candidate& a, const Candidate& b) { return a.logit < b.logit; });
  std::vector<double> weights;
  for (const Candidate& c : candidates) {
    weights.push_back(std::exp((c.logit - largest->logit) / temperature));
  }
  return weights;
}

double sum_of(const std::vector<double>& weights) {
  double sum = 0;
  for (const double w : weights) sum += w;
  return sum;
}

void keep_top_k(std::vector<Candidate>& candidates, std::int64_t k) {
  const auto kept = std::min<std::int64_t>(k, std::ssize(candidates));
  std::partial_sort(candidates.begin(), candidates.begin() + kept, candidates.end(), is_before);
  candidates.resize(static_cast<std::size_t>(kept));
}

void keep_top_p(std::vector<Candidate>& candidates, double p) {
  std::sort(candidates.begin(), candidates.end(), is_before);
  const std::vector<double> weights = weights_of(candidates, 1);
  const double wanted = p * sum_of(weights);
  std::size_t kept = 0;
  for (double reached = 0; kept < weights.size() && reached < wanted;) reached += weights[kept++];
  candidates.resize(std::max<std::size_t>(kept, 1));
}

void keep_min_p(std::vector<Candidate>& candidates, double p) {
  const std::vector<double> weights = weights_of(candidates, 1);
  std::size_t kept = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (weights[i] >= p) candidates[kept++] = candidates[i];
  }
  candidates.resize(kept);
}

}  // namespace

void check_sampling(const SamplingOptions& o) {
  const auto refuse = [](const char* option, const char* expected, auto found) {
    throw InputError(fmt::format("{}: expected {}, found {}", option, expected, found));
  };
  // NaN fails every comparison, hence "not in the range".
  if (!(o.temperature >= 0 && o.temperature <= 100)) {
    refuse("--temperature", "0 (greedy) to 100", o.temperature);
  }
  if (o.top_k < 0) refuse("--top-k", "0 (all) or more", o.top_k);
  if (!(o.top_p > 0 && o.top_p <= 1)) refuse("--top-p", "above 0 and at most 1", o.top_p);
  if (!(o.min_p >= 0 && o.min_p <= 1)) refuse("--min-p", "0 to 1", o.min_p);
  if (!(o.repetition_penalty > 0 && o.repetition_penalty <= 100)) {
    refuse("--repetition-penalty", "above 0 and at most 100", o.repetition_penalty);
  }
  if (o.temperature > 0) return;
  const char* ignored = o.top_k != 0 ? "--top-k" : o.top_p != 1 ? "--top-p" : "--min-p";
  if (o.top_k != 0 || o.top_p != 1 || o.min_p != 0) {
    throw InputError(fmt::format(
        "{}: needs a --temperature above 0; at 0 the most probable token is taken", ignored));
  }
}

std::uint64_t UniformBits::next() {
  state_ += 0x9e3779b97f4a7c15U;
  std::uint64_t z = state_;
  z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
  return z ^ (z >> 31U);
}

double UniformBits::next_share() {
  return static_cast<double>(next() >> 11U) * 0x1p-53;
}

int Sampler::choose(std::span<const float> logits) {
  std::vector<Candidate> candidates;
  candidates.reserve(logits.size());
  for (std::size_t i = 0; i < logits.size(); ++i) {
    candidates.push_back({static_cast<int>(i), logits[i]});
  }
  const double penalty = options_.repetition_penalty;
  if (penalty != 1) {
    for (const int token : seen_) {
      double& logit = candidates[static_cast<std::size_t>(token)].logit;
      logit = logit > 0 ? logit / penalty : logit * penalty;
    }
  }
  if (options_.temperature == 0) {
    return std::min_element(candidates.begin(), candidates.end(), is_before)->token;
  }
  if (options_.top_k > 0) keep_top_k(candidates, options_.top_k);
  if (options_.top_p < 1) keep_top_p(candidates, options_.top_p);
  if (options_.min_p > 0) keep_min_p(candidates, options_.min_p);

  const std::vector<double> weights = weights_of(candidates, options_.temperature);
  const double drawn = bits_.next_share() * sum_of(weights);
  double reached = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    reached += weights[i];
    if (drawn < reached) return candidates[i].token;
  }
  return candidates.back().token;  // rounding left the sum a little short
}

}  // namespace presil
