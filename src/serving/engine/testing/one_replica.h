// For tests: a replica, a list of requests, and everything that was heard.
#pragma once

#include <algorithm>
#include <vector>

#include "serving/engine/replica.h"

namespace presil::serving::testing {

/// A step takes `base`, and so much more for each of its tokens, its sequences and the tokens in
/// their cache.
struct AffineCosts final : StepCosts {
  std::int64_t base = 1'000'000, token = 0, sequence = 0, context = 0;
  std::int64_t stages = 1;

  AffineCosts() = default;
  AffineCosts(std::int64_t base_ns, std::int64_t token_ns, std::int64_t sequence_ns = 0,
              std::int64_t context_ns = 0)
      : base(base_ns), token(token_ns), sequence(sequence_ns), context(context_ns) {}

  StepCost cost(const StepFeatures& step) const override {
    const std::int64_t time = base + token * step.tokens() +
                              sequence * (step.prefill_sequences + step.decode_sequences) +
                              context * (step.prefill_context + step.decode_context);
    return {.time = Nanoseconds(time),
            .interval = Nanoseconds((time + stages - 1) / stages),
            .energy_j = static_cast<double>(step.tokens())};
  }
};

struct Heard final : Observer {
  std::vector<RequestRecord> records;
  std::vector<StepRecord> steps;
  std::vector<Request> handed_over;
  std::vector<RequestRecord> handed_records;
  std::int64_t gaps = 0;  // samples of inter-token latency
  Nanoseconds gap_sum{0};

  void finished(const RequestRecord& record) override { records.push_back(record); }
  void stepped(const StepRecord& step) override { steps.push_back(step); }
  void between_tokens(Nanoseconds since, std::int64_t count, int) override {
    gaps += count;
    gap_sum += since * count;
  }
  void prefilled(const Request& request, const RequestRecord& so_far) override {
    handed_over.push_back(request);
    handed_records.push_back(so_far);
  }
};

/// Sends the requests, which are in order of arrival, and runs until the replica is idle; `look` is
/// called after every event.
template <class Look>
void run(Replica& replica, const std::vector<Request>& requests, Look look) {
  std::size_t next = 0;
  while (true) {
    Nanoseconds now = replica.next_event();
    if (next < requests.size()) now = std::min(now, requests[next].arrival);
    if (now == kLongestService) return;
    for (; next < requests.size() && requests[next].arrival == now; ++next) {
      replica.submit(requests[next], now);
    }
    replica.advance(now);
    look(replica);
  }
}

inline void run(Replica& replica, const std::vector<Request>& requests) {
  run(replica, requests, [](const Replica&) {});
}

inline Request request(std::int64_t id, std::int64_t arrival_ns, std::int64_t prompt,
                       std::int64_t output) {
  Request result;
  result.id = id;
  result.arrival = Nanoseconds(arrival_ns);
  result.prompt_tokens = prompt;
  result.output_tokens = output;
  return result;
}

}  // namespace presil::serving::testing
