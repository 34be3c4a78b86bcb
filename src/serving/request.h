// What a service is asked, and what became of it.
//
// Time in `serving` is int64 nanoseconds since the start of the run, so that the same input gives
// the same bytes whatever the machine.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/units.h"

namespace presil::serving {

/// One request as it arrives. How much it will write is known to the simulator only: no scheduler
/// or router may look at output_tokens.
struct Request {
  std::int64_t id = 0;  // counted from 0 in order of arrival
  Nanoseconds arrival;
  std::int64_t prompt_tokens = 1;
  std::int64_t output_tokens = 1;
  int slo_class = 0;          // index into the scenario's classes
  std::int64_t session = -1;  // requests of one conversation; -1: of none
  // Names of the prompt's leading blocks of prefix_block tokens each: prompts that begin with the
  // same names begin with the same text. Empty: nobody shares it.
  std::vector<std::uint64_t> prefix;
  std::int64_t prefix_block = 0;
};

enum class Outcome {
  finished,
  too_long,    // prompt and output are more than max_model_len, or than the whole KV cache holds
  turned_away  // by admission control
};

std::string_view to_string(Outcome outcome);

/// What became of a request. Times of tokens are when a user of the service would see them.
struct RequestRecord {
  std::int64_t id = 0;
  Outcome outcome = Outcome::finished;
  int slo_class = 0;
  int replica = -1;  // that wrote its last token
  std::int64_t prompt_tokens = 0;
  std::int64_t output_tokens = 0;  // written
  std::int64_t cached_tokens =
      0;  // of the prompt, found in the prefix cache at its first admission
  std::int64_t preemptions = 0;
  Nanoseconds arrival, first_scheduled, first_token, last_token;
};

}  // namespace presil::serving
