// What serving knows of the hardware: the cost of a step of a replica (DESIGN: StepCost).
#pragma once

#include <cstdint>

#include "base/units.h"

namespace presil::serving {

/// The sums over the sequences of a step that its cost depends on. A sequence prefills while some
/// of its prompt is not in the KV cache; then it decodes.
struct StepFeatures {
  std::int64_t prefill_sequences = 0;
  std::int64_t prefill_tokens = 0;   // new tokens of sequences that prefill
  std::int64_t prefill_pairs = 0;    // of them: query-key pairs, new x context + new (new + 1) / 2
  std::int64_t prefill_context = 0;  // of them: tokens in the cache before the step
  std::int64_t decode_sequences = 0;
  std::int64_t decode_tokens = 0;    // new tokens of sequences that decode; more with speculation
  std::int64_t decode_context = 0;   // of them: tokens in the cache before the step, summed
  std::int64_t longest_context = 0;  // of the decoding sequences

  void add_prefill(std::int64_t new_tokens, std::int64_t context) {
    ++prefill_sequences;
    prefill_tokens += new_tokens;
    prefill_pairs += new_tokens * context + new_tokens * (new_tokens + 1) / 2;
    prefill_context += context;
  }
  void add_decode(std::int64_t new_tokens, std::int64_t context) {
    ++decode_sequences;
    decode_tokens += new_tokens;
    decode_context += context;
    if (context > longest_context) longest_context = context;
  }
  std::int64_t tokens() const { return prefill_tokens + decode_tokens; }

  friend bool operator==(const StepFeatures&, const StepFeatures&) = default;
};

/// Of a whole replica: all chips of its tensor, pipeline and expert parallel group.
struct StepCost {
  Nanoseconds time;      // until its tokens are there: through all stages of a pipeline
  Nanoseconds interval;  // until the next step may start: the slowest stage; = time without stages
  double energy_j = 0;   // drawn because of this step, idle power over `interval` included
  double dram_bytes = 0;
  double flops = 0;
};

/// Answers for any step that a replica may run. Implementations are pure: same features, same cost,
/// from any thread.
class StepCosts {
 public:
  virtual ~StepCosts() = default;
  /// Requires tokens() > 0.
  virtual StepCost cost(const StepFeatures& step) const = 0;
};

}  // namespace presil::serving
