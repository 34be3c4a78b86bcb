// Generation: a prompt in one step, then one token a step, each chosen by a sampler.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "base/error.h"
#include "values/sampling.h"
#include "values/session.h"

namespace presil {

struct GeneratedToken {
  int token = 0;
  double probability = 0;
  double gap = 0;  // the probability's lead over that of the second choice
};

struct GenerateOptions {
  std::int64_t max_tokens = 16;
  std::vector<std::int64_t> stop_tokens = {};  // generation ends with the first of them
  Sampler* sampler = nullptr;                  // is told every token; nothing: greedy
  std::function<bool()> stop = {};             // asked after each token whether to end here
};

/// Continues what `session` holds of one sequence with `prompt`, its next tokens. Stops after
/// max_tokens, after a stop token (which is the last of the result) and at the end of the model's
/// context. The last token of the result is not yet in the session's cache. `on_token` is called
/// for each token as it comes. Probabilities are the model's, before any sampling. Throws
/// InputError for an empty prompt and one longer than the context; Infeasible when the chip's
/// memory does not hold a step.
Feasible<std::vector<GeneratedToken>> generate(
    const Program& program, Session& session, std::span<const int> prompt,
    const GenerateOptions& options,
    const std::function<void(const GeneratedToken&)>& on_token = {});

/// The choice `token` among one row of logits, with its probability and its lead.
GeneratedToken judge(std::span<const float> logits, int token);

}  // namespace presil
