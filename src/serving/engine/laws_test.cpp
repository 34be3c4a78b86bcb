// What holds for every engine and every load, on drawn ones; and the scheduler against a plain one.
#include <gtest/gtest.h>

#include "serving/engine/testing/draw_cases.h"
#include "serving/engine/testing/plain_engine.h"

namespace presil::serving {
namespace {

using testing::AffineCosts;
using testing::draw_case;
using testing::DrawnCase;
using testing::Heard;
using testing::run;

/// Cases with everything that the plain engine does not have.
DrawnCase draw_any_case(std::uint64_t seed) {
  DrawnCase drawn = draw_case(seed);
  Draws draws(seed, 1, 0);
  drawn.options.pipeline_stages = 1 + static_cast<std::int64_t>(draws.below(4));
  drawn.costs.stages = drawn.options.pipeline_stages;
  switch (draws.below(5)) {
    case 0:
      drawn.options.batching = Batching::static_batches;
      break;
    case 1:
      drawn.options.speculation = {.tokens = 1 + static_cast<std::int64_t>(draws.below(5)),
                                   .acceptance = draws.uniform()};
      break;
    default:
      break;
  }
  return drawn;
}

Heard serve(const DrawnCase& drawn) {
  Heard heard;
  Replica replica(0, drawn.options, drawn.costs, nullptr, heard);
  run(replica, drawn.requests);
  return heard;
}

std::vector<std::int64_t> numbers_of(const Heard& heard) {
  std::vector<std::int64_t> numbers;
  for (const RequestRecord& r : heard.records) {
    numbers.insert(numbers.end(), {r.id, r.cached_tokens, r.preemptions, r.first_scheduled.count(),
                                   r.first_token.count(), r.last_token.count()});
  }
  for (const StepRecord& s : heard.steps) {
    numbers.insert(numbers.end(), {s.start.count(), s.end.count(), s.features.tokens()});
  }
  return numbers;
}

TEST(EngineLaws, EveryRequestFinishesOnceWithAllItsTokens) {
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    SCOPED_TRACE(seed);
    const DrawnCase drawn = draw_any_case(seed);
    const Heard heard = serve(drawn);

    ASSERT_EQ(heard.records.size(), drawn.requests.size());
    std::vector<int> times(drawn.requests.size());
    for (const RequestRecord& record : heard.records) {
      const Request& asked = drawn.requests[static_cast<std::size_t>(record.id)];
      ++times[static_cast<std::size_t>(record.id)];
      ASSERT_EQ(record.outcome, Outcome::finished);
      ASSERT_EQ(record.output_tokens, asked.output_tokens);
      ASSERT_EQ(record.prompt_tokens, asked.prompt_tokens);
      ASSERT_EQ(record.arrival, asked.arrival);
      ASSERT_LE(record.arrival, record.first_scheduled);
      ASSERT_LT(record.first_scheduled, record.first_token);
      ASSERT_LE(record.first_token, record.last_token);
    }
    for (const int count : times) ASSERT_EQ(count, 1);
  }
}

TEST(EngineLaws, EveryTokenIsComputedOnceButForWhatIsKeptAndWhatIsPreempted) {
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    SCOPED_TRACE(seed);
    const DrawnCase drawn = draw_case(seed);
    const Heard heard = serve(drawn);
    std::int64_t read = 0, written = 0, preempted = 0, prompts = 0, outputs = 0, cached = 0;
    Nanoseconds writing{0};
    for (const StepRecord& step : heard.steps) {
      read += step.features.prefill_tokens;
      written += step.features.decode_tokens;
      preempted += step.preempted;
    }
    std::int64_t preempted_by_request = 0;
    for (const RequestRecord& record : heard.records) {
      prompts += record.prompt_tokens;
      outputs += record.output_tokens;
      cached += record.cached_tokens;
      preempted_by_request += record.preemptions;
      writing += record.last_token - record.first_token;
    }
    ASSERT_EQ(preempted, preempted_by_request);
    if (preempted == 0) {
      ASSERT_EQ(read, prompts - cached);
      ASSERT_EQ(written, outputs - std::ssize(heard.records));
    } else {
      ASSERT_GE(read + cached, prompts - cached);
    }
    // Gaps between tokens fill the time from the first token to the last, request by request.
    ASSERT_EQ(heard.gaps, outputs - std::ssize(heard.records));
    ASSERT_EQ(heard.gap_sum, writing);
  }
}

TEST(EngineLaws, BlocksAreUsedOrFreeAndAllAreFreeAtTheEnd) {
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    SCOPED_TRACE(seed);
    const DrawnCase drawn = draw_any_case(seed);
    const EngineOptions& options = drawn.options;
    Heard heard;
    Replica replica(0, options, drawn.costs, nullptr, heard);
    run(replica, drawn.requests, [&](const Replica& now) {
      const ReplicaLoad load = now.load();
      ASSERT_EQ(load.used_blocks + load.free_blocks, options.num_blocks);
      ASSERT_GE(load.used_blocks, 0);
      ASSERT_GE(load.free_blocks, 0);
      ASSERT_LE(load.running, options.max_num_seqs);
    });
    for (const StepRecord& step : heard.steps) {
      ASSERT_LE(step.used_blocks, options.num_blocks);
      if (options.batching == Batching::static_batches) continue;
      ASSERT_LE(step.features.tokens(), options.max_num_batched_tokens);
    }
    const ReplicaLoad load = replica.load();
    ASSERT_EQ(load.free_blocks, options.num_blocks);
    ASSERT_EQ(load.running, 0);
    ASSERT_EQ(load.waiting, 0);
    ASSERT_EQ(load.outstanding_tokens, 0);
  }
}

TEST(EngineLaws, RequestsInTheHouseOverTimeAreTheirTimesInTheHouse) {
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    SCOPED_TRACE(seed);
    const DrawnCase drawn = draw_any_case(seed);
    Heard heard;
    Replica replica(0, drawn.options, drawn.costs, nullptr, heard);

    Nanoseconds area{0}, last{0};  // of the number in the house over time
    std::size_t next = 0;
    while (true) {
      Nanoseconds now = replica.next_event();
      if (next < drawn.requests.size()) now = std::min(now, drawn.requests[next].arrival);
      if (now == kLongestService) break;
      area += (now - last) * (static_cast<std::int64_t>(next) - std::ssize(heard.records));
      last = now;
      for (; next < drawn.requests.size() && drawn.requests[next].arrival == now; ++next) {
        replica.submit(drawn.requests[next], now);
      }
      replica.advance(now);
    }
    Nanoseconds in_house{0};
    for (const RequestRecord& record : heard.records)
      in_house += record.last_token - record.arrival;
    ASSERT_EQ(area, in_house);
  }
}

TEST(EngineLaws, TheSameRunHasTheSameNumbersHoweverItIsAdvanced) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE(seed);
    const DrawnCase drawn = draw_any_case(seed);
    const std::vector<std::int64_t> numbers = numbers_of(serve(drawn));
    ASSERT_EQ(numbers, numbers_of(serve(drawn)));

    Heard heard;
    Replica replica(0, drawn.options, drawn.costs, nullptr, heard);
    for (std::size_t i = 0; i < drawn.requests.size(); ++i) {
      const Nanoseconds now = drawn.requests[i].arrival;
      // Up to, but not including, the instant: what comes at it is seen by a step that starts then.
      replica.advance(now - Nanoseconds(1));
      replica.submit(drawn.requests[i], now);
    }
    replica.advance(kLongestService - Nanoseconds(1));
    ASSERT_EQ(numbers, numbers_of(heard));
  }
}

TEST(EngineLaws, StepsAreThoseOfAPlainEngine) {
  std::int64_t preempted = 0, steps = 0;
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    SCOPED_TRACE(seed);
    const DrawnCase drawn = draw_case(seed);
    const Heard heard = serve(drawn);
    const auto plain = testing::PlainEngine(drawn.options, drawn.costs).run(drawn.requests);
    ASSERT_EQ(heard.steps.size(), plain.size());
    for (std::size_t i = 0; i < plain.size(); ++i) {
      const StepRecord& step = heard.steps[i];
      ASSERT_EQ(step.start, plain[i].start) << "step " << i;
      ASSERT_EQ(step.end, plain[i].end) << "step " << i;
      ASSERT_EQ(step.features, plain[i].features) << "step " << i;
      ASSERT_EQ(step.used_blocks, plain[i].used_blocks) << "step " << i;
      ASSERT_EQ(step.preempted, plain[i].preempted) << "step " << i;
      ASSERT_EQ(step.waiting, plain[i].waiting) << "step " << i;
      ASSERT_EQ(step.running, plain[i].running) << "step " << i;
      preempted += step.preempted;
      ++steps;
    }
  }
  EXPECT_GT(preempted, steps / 100);  // the cases are hard enough
}

}  // namespace
}  // namespace presil::serving
