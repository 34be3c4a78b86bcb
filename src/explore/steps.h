// From a request to steps: which sequences one chip's group has, in which phase.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "explore/run_request.h"
#include "program/bind.h"

namespace presil {

/// The steps of one phase for one replica and one microbatch: the heaviest of them, when sequences
/// differ. Sequences are dealt out in turn, first over replicas, then over microbatches.
struct PhaseSteps {
  std::string name;  // "prefill" or "decode"
  std::vector<Step> steps;
  std::int64_t tokens = 0;  // of the whole batch, over all steps
  std::int64_t microbatches = 1;
};

/// A text that was read and written: its prompt, then one step for each token after the first.
struct TextLength {
  std::int64_t prompt_tokens = 0;
  std::int64_t tokens = 0;
};

/// With a KV cache in pages of `page_tokens`. Throws InputError when the batch is not divisible by
/// the replicas or the microbatches.
std::vector<PhaseSteps> steps_of(const RunRequest& request, const std::optional<TextLength>& text,
                                 std::int64_t page_tokens = 1);

/// Of sequences dealt out in turn to `hands` data-parallel groups: those of the one with most to
/// do.
Step heaviest_hand(const std::vector<Sequence>& all, std::int64_t hands);

/// The chips that a request asks for.
std::int64_t chips_of(const RunRequest& request);

}  // namespace presil
