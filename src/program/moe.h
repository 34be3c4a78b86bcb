// What a step asks of a chip's experts, in closed form.
#pragma once

#include <cstdint>

#include "program/bind.h"
#include "program/program.h"

namespace presil {

/// The work of a grouped product on the busiest chip.
struct ExpertLoad {
  std::int64_t pairs = 0;    // (token, expert) rows
  std::int64_t experts = 0;  // that the chip has
  double touched = 0;        // of them, expected to get a token: their weights are read
  std::int64_t rows = 1;     // of a touched expert: the mean, rounded up
  std::int64_t n = 1, k = 1;
};

/// Of `kernel`, which has a routing. Every token chooses its experts uniformly and independently of
/// other tokens, so an expert stays without one with the probability (1 - per_token / experts) to
/// the power of the tokens. The busiest chip has `imbalance` times the pairs of the mean chip.
ExpertLoad expert_load(const Kernel& kernel, const Step& step);

}  // namespace presil
