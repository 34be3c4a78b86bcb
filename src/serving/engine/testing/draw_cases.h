// For tests: engines and requests drawn from a seed, small enough that every rule is met often.
#pragma once

#include <vector>

#include "base/draws.h"
#include "base/integers.h"
#include "serving/engine/testing/one_replica.h"

namespace presil::serving::testing {

struct DrawnCase {
  EngineOptions options;
  AffineCosts costs;
  std::vector<Request> requests;
};

/// Blocks are scarce, prompts share their beginnings, arrivals come in bursts.
inline DrawnCase draw_case(std::uint64_t seed) {
  Draws draws(seed, 0, 0);
  const auto between = [&](std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(draws.below(static_cast<std::uint64_t>(high - low + 1)));
  };
  DrawnCase drawn;
  EngineOptions& options = drawn.options;
  options.block_size = between(1, 8);
  options.max_num_seqs = between(1, 12);
  options.max_num_batched_tokens = between(1, 64);
  options.max_model_len = 100;
  options.num_blocks = between(ceil_div(66, options.block_size), 200);
  options.chunked_prefill = between(0, 3) > 0;
  if (!options.chunked_prefill) options.max_num_batched_tokens = 100;
  options.prefix_caching = between(0, 3) > 0;
  options.seed = seed;
  drawn.costs = {between(1, 500), between(0, 20), between(0, 5), between(0, 2)};

  const std::int64_t texts = between(1, 4), prefix_block = between(1, 10);
  const std::int64_t pause = between(0, 2000);
  std::int64_t now = between(0, 10);
  for (std::int64_t id = 0, count = between(1, 60); id < count; ++id) {
    if (between(0, 2) == 0) now += between(0, pause);
    Request next = request(id, now, between(1, 40), between(1, 20));
    next.slo_class = static_cast<int>(between(0, 2));
    const std::int64_t text = between(0, texts), same = between(0, 6);
    for (std::int64_t i = 0; text > 0 && i * prefix_block < next.prompt_tokens; ++i) {
      // The first blocks are the text's, later ones the request's own.
      next.prefix.push_back(static_cast<std::uint64_t>(i < same ? text : 1000 + id));
    }
    next.prefix_block = prefix_block;
    drawn.requests.push_back(next);
  }
  return drawn;
}

}  // namespace presil::serving::testing
