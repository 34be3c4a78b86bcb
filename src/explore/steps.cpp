#include "explore/steps.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/error.h"

namespace presil {
namespace {

/// The value of sequence `i`: lists are taken in turn.
std::int64_t of_sequence(const std::vector<std::int64_t>& list, std::int64_t otherwise,
                         std::int64_t i) {
  return list.empty() ? otherwise : list[static_cast<std::size_t>(i) % list.size()];
}

double pairs(const Step& step) {
  double sum = 0;
  for (const Sequence& s : step.sequences) {
    sum += static_cast<double>(s.new_tokens) * static_cast<double>(s.context + s.new_tokens);
  }
  return sum;
}

std::int64_t microbatches_of(const RunRequest& q) {
  if (q.batch % q.data_parallel != 0) {
    throw InputError(
        fmt::format("--dp {} does not divide the --batch of {}", q.data_parallel, q.batch));
  }
  const std::int64_t sequences = q.batch / q.data_parallel;
  if (q.microbatches > 0) {
    if (sequences % q.microbatches != 0) {
      throw InputError(
          fmt::format("--microbatches {} does not divide the {} sequences of a replica",
                      q.microbatches, sequences));
    }
    return q.microbatches;
  }
  std::int64_t microbatches = std::min(q.pipeline_parallel, sequences);
  while (sequences % microbatches != 0) --microbatches;
  return microbatches;
}

}  // namespace

Step heaviest_hand(const std::vector<Sequence>& all, std::int64_t hands) {
  Step heaviest;
  for (std::int64_t h = 0; h < hands; ++h) {
    Step hand;
    for (std::size_t i = static_cast<std::size_t>(h); i < all.size();
         i += static_cast<std::size_t>(hands)) {
      hand.sequences.push_back(all[i]);
    }
    if (heaviest.sequences.empty() || pairs(hand) > pairs(heaviest)) heaviest = std::move(hand);
  }
  return heaviest;
}

std::vector<PhaseSteps> steps_of(const RunRequest& q, const std::optional<TextLength>& text,
                                 std::int64_t page_tokens) {
  const std::int64_t microbatches = microbatches_of(q);
  const std::int64_t decodes = text ? text->tokens - 1 : 1;
  const auto phase = [&](const char* name, std::int64_t steps, auto sequence) {
    PhaseSteps p{name, {}, 0, microbatches};
    for (std::int64_t step = 0; step < steps; ++step) {
      std::vector<Sequence> all;
      for (std::int64_t i = 0; i < q.batch; ++i) all.push_back(sequence(step, i));
      for (const Sequence& s : all) p.tokens += s.new_tokens;
      p.steps.push_back(heaviest_hand(all, q.data_parallel * microbatches));
      p.steps.back().page_tokens = page_tokens;
    }
    return p;
  };
  std::vector<PhaseSteps> phases;
  if (q.phase != PhaseChoice::decode) {
    phases.push_back(phase("prefill", 1, [&](std::int64_t, std::int64_t i) {
      return Sequence{text ? text->prompt_tokens : of_sequence(q.prompts, q.prompt_tokens, i), 0};
    }));
  }
  if (q.phase != PhaseChoice::prefill && decodes > 0) {
    phases.push_back(phase("decode", decodes, [&](std::int64_t step, std::int64_t i) {
      return Sequence{1, text ? text->prompt_tokens + step : of_sequence(q.contexts, q.context, i)};
    }));
  }
  return phases;
}

std::int64_t chips_of(const RunRequest& request) {
  return request.tensor_parallel * request.data_parallel * request.pipeline_parallel;
}

}  // namespace presil
