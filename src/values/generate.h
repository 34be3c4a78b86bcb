// Greedy generation: a prompt in one step, then one token a step.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "base/error.h"
#include "values/session.h"

namespace presil {

struct GeneratedToken {
  int token = 0;
  double probability = 0;
  double gap = 0;  // the probability's lead over that of the second choice
};

struct GenerateOptions {
  std::int64_t max_tokens = 16;
  std::vector<std::int64_t> stop_tokens;  // generation ends with the first of them
};

/// Continues `prompt` in a session that has run no step yet. Stops after max_tokens, after a stop
/// token (which is the last of the result) and at the end of the model's context. `on_token` is
/// called for each token as it comes. Throws InputError for an empty prompt and one longer than the
/// context; Infeasible when the chip's memory does not hold a step.
Feasible<std::vector<GeneratedToken>> generate(
    const Program& program, Session& session, std::span<const int> prompt,
    const GenerateOptions& options,
    const std::function<void(const GeneratedToken&)>& on_token = {});

/// The choice `token` among one row of logits, with its probability and its lead.
GeneratedToken judge(std::span<const float> logits, int token);

}  // namespace presil
