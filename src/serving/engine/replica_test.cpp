#include "serving/engine/replica.h"

#include <cmath>

#include <gtest/gtest.h>

#include "serving/engine/testing/one_replica.h"

namespace presil::serving {
namespace {

using testing::AffineCosts;
using testing::Heard;
using testing::request;
using testing::run;

EngineOptions small_engine() {
  EngineOptions options;
  options.max_num_seqs = 4;
  options.max_num_batched_tokens = 8;
  options.max_model_len = 64;
  options.block_size = 4;
  options.num_blocks = 16;
  return options;
}

TEST(Replica, APromptIsReadInPiecesOfTheBudgetAndItsFirstTokenComesWithTheLast) {
  const AffineCosts costs(100, 0);
  Heard heard;
  Replica replica(0, small_engine(), costs, nullptr, heard);
  run(replica, {request(0, 0, 20, 3)});  // pieces of 8, 8 and 4, then two decodes

  ASSERT_EQ(heard.steps.size(), 5u);
  EXPECT_EQ(heard.steps[0].features.prefill_tokens, 8);
  EXPECT_EQ(heard.steps[1].features.prefill_context, 8);
  EXPECT_EQ(heard.steps[2].features.prefill_tokens, 4);
  EXPECT_EQ(heard.steps[3].features.decode_context, 20);
  EXPECT_EQ(heard.steps[4].features.decode_context, 21);
  ASSERT_EQ(heard.records.size(), 1u);
  EXPECT_EQ(heard.records[0].first_scheduled, Nanoseconds(0));
  EXPECT_EQ(heard.records[0].first_token, Nanoseconds(300));
  EXPECT_EQ(heard.records[0].last_token, Nanoseconds(500));
  EXPECT_EQ(heard.gaps, 2);
  EXPECT_EQ(heard.gap_sum, Nanoseconds(200));
  EXPECT_EQ(replica.free_blocks(), 16);
}

TEST(Replica, SequencesThatRunAreServedBeforeThoseThatWait) {
  const AffineCosts costs(100, 0);
  Heard heard;
  Replica replica(0, small_engine(), costs, nullptr, heard);
  // The first decodes one token a step, so 7 of 8 tokens of the budget are left for the second.
  run(replica, {request(0, 0, 4, 9), request(1, 100, 10, 1)});

  EXPECT_EQ(heard.steps[1].features.decode_tokens, 1);
  EXPECT_EQ(heard.steps[1].features.prefill_tokens, 7);
  EXPECT_EQ(heard.steps[2].features.prefill_tokens, 3);
  EXPECT_EQ(heard.records[0].id, 1);
  EXPECT_EQ(heard.records[0].first_token, Nanoseconds(300));
}

TEST(Replica, TheLastThatRunsIsPreemptedAndComputesAllItsTextAgain) {
  const AffineCosts costs(100, 0);
  EngineOptions options = small_engine();
  options.max_num_batched_tokens = 16;
  options.num_blocks = 4;
  Heard heard;
  Replica replica(0, options, costs, nullptr, heard);
  // Step 1 reads all three; each holds one block of four tokens.
  // Step 2: each needs a second block. The first takes the last free one; for the second, the third
  //   is preempted. Nobody is admitted in a step that preempts.
  // Steps 3 to 5: both write into their second block. The third would need two.
  // Step 6: the first needs a third block, so the second is preempted; it stands before the third.
  //   The first writes its sixth token.
  // Step 7: the second reads its 4 + 5 tokens again and writes the last; one block is left.
  // Step 8: the third reads 4 + 1 tokens again; steps 9 to 12 write.
  run(replica, {request(0, 0, 4, 6), request(1, 0, 4, 6), request(2, 0, 4, 6)});

  ASSERT_EQ(heard.steps.size(), 12u);
  EXPECT_EQ(heard.steps[1].preempted, 1);
  EXPECT_EQ(heard.steps[1].features.decode_sequences, 2);
  EXPECT_EQ(heard.steps[1].used_blocks, 4);
  EXPECT_EQ(heard.steps[5].preempted, 1);
  EXPECT_EQ(heard.steps[5].waiting, 2);
  EXPECT_EQ(heard.steps[6].features.prefill_tokens, 9);
  EXPECT_EQ(heard.steps[6].features.prefill_sequences, 1);
  EXPECT_EQ(heard.steps[7].features.prefill_tokens, 5);
  ASSERT_EQ(heard.records.size(), 3u);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(heard.records[i].id, i);
    EXPECT_EQ(heard.records[i].first_token, Nanoseconds(100));
    EXPECT_EQ(heard.records[i].preemptions, i == 0 ? 0 : 1);
  }
  EXPECT_EQ(heard.records[0].last_token, Nanoseconds(600));
  EXPECT_EQ(heard.records[1].last_token, Nanoseconds(700));
  EXPECT_EQ(heard.records[2].last_token, Nanoseconds(1200));
}

Request asking(std::int64_t id, std::int64_t arrival_ns, std::int64_t prompt,
               std::vector<std::uint64_t> text) {
  Request result = request(id, arrival_ns, prompt, 1);
  result.prefix = std::move(text);
  result.prefix_block = 4;
  return result;
}

TEST(Replica, APromptThatIsKeptIsReadFromItsLastBlockOn) {
  const AffineCosts costs(100, 0);
  EngineOptions options = small_engine();
  options.max_num_batched_tokens = 64;
  Heard heard;
  Replica replica(0, options, costs, nullptr, heard);
  const Request first = asking(0, 0, 8, {1, 2});
  run(replica, {first, asking(1, 1000, 8, {1, 2}), asking(2, 2000, 12, {1, 2, 3}),
                asking(3, 3000, 12, {9, 2, 3})});

  EXPECT_EQ(replica.cached_tokens(first), 8);
  EXPECT_EQ(heard.records[0].cached_tokens, 0);
  EXPECT_EQ(heard.records[1].cached_tokens, 4);  // the last block is for the last token's sake
  EXPECT_EQ(heard.records[2].cached_tokens, 8);
  EXPECT_EQ(heard.records[3].cached_tokens, 0);  // nothing is equal after another beginning
  EXPECT_EQ(heard.steps[2].features.prefill_tokens, 4);
  EXPECT_EQ(heard.steps[2].features.prefill_context, 8);
}

TEST(Replica, EqualPromptsOfOneStepAreReadOnce) {
  const AffineCosts costs(100, 0);
  EngineOptions options = small_engine();
  options.max_num_batched_tokens = 64;
  Heard heard;
  Replica replica(0, options, costs, nullptr, heard);
  run(replica, {asking(0, 0, 12, {1, 2, 3}), asking(1, 0, 12, {1, 2, 3})});
  ASSERT_EQ(heard.steps.size(), 1u);
  EXPECT_EQ(heard.steps[0].features.prefill_tokens, 12 + 4);
}

TEST(Replica, WithoutChunksAPromptWaitsForABudgetThatHoldsIt) {
  const AffineCosts costs(100, 0);
  EngineOptions options = small_engine();
  options.chunked_prefill = false;
  options.max_num_batched_tokens = 16;
  Heard heard;
  Replica replica(0, options, costs, nullptr, heard);
  run(replica, {request(0, 0, 10, 1), request(1, 0, 10, 1), request(2, 0, 2, 1)});
  // The second does not fit beside the first, and the third does not overtake it.
  ASSERT_EQ(heard.steps.size(), 2u);
  EXPECT_EQ(heard.steps[0].features.prefill_tokens, 10);
  EXPECT_EQ(heard.steps[1].features.prefill_tokens, 12);
}

TEST(Replica, WhatCanNeverBeServedIsRefusedAtOnce) {
  const AffineCosts costs(100, 0);
  EngineOptions options = small_engine();  // 64 tokens of context, 64 of KV cache
  Heard heard;
  Replica replica(3, options, costs, nullptr, heard);
  run(replica, {request(0, 0, 60, 5), request(1, 0, 60, 4)});
  ASSERT_EQ(heard.records.size(), 2u);
  EXPECT_EQ(heard.records[0].outcome, Outcome::too_long);
  EXPECT_EQ(heard.records[0].output_tokens, 0);
  EXPECT_EQ(heard.records[0].replica, 3);
  EXPECT_EQ(heard.records[1].outcome, Outcome::finished);

  options.num_blocks = 15;
  Heard with_less;
  Replica small(0, options, costs, nullptr, with_less);
  run(small, {request(0, 0, 60, 2), request(1, 0, 60, 1)});  // 61 and 60 tokens to keep
  EXPECT_EQ(with_less.records[0].outcome, Outcome::too_long);
  EXPECT_EQ(with_less.records[1].outcome, Outcome::finished);
}

TEST(Replica, RightDraftsMakeStepsFewer) {
  const AffineCosts costs(100, 0);
  EngineOptions options = small_engine();
  const auto steps_with = [&](double acceptance) {
    options.speculation = {.tokens = 3, .acceptance = acceptance};
    Heard heard;
    Replica replica(0, options, costs, nullptr, heard);
    run(replica, {request(0, 0, 4, 9)});
    EXPECT_EQ(heard.steps[1].features.decode_tokens, 4);
    // What was right stays in the cache, what was wrong does not.
    EXPECT_EQ(heard.steps[1].features.decode_context, 4);
    EXPECT_EQ(heard.steps[2].features.decode_context, acceptance == 1 ? 8 : 5);
    EXPECT_EQ(heard.records[0].output_tokens, 9);
    EXPECT_EQ(heard.gaps, std::ssize(heard.steps) - 1);
    return heard.steps.size();
  };
  EXPECT_EQ(steps_with(1), 1u + 2u);  // 1, then 4 and 4
  EXPECT_EQ(steps_with(0), 1u + 8u);
}

TEST(Replica, AStepWritesAsManyTokensAsTheGeometricLawSays) {
  const AffineCosts costs(100, 0);
  EngineOptions options = small_engine();
  options.max_model_len = 200'000;
  options.num_blocks = 60'000;
  options.speculation = {.tokens = 3, .acceptance = 0.5};
  Heard heard;
  Replica replica(0, options, costs, nullptr, heard);
  run(replica, {request(0, 0, 1, 100'001)});
  // 1 + a + a^2 + a^3 tokens a step, with a deviation of about 1.05 a step.
  const double mean = 100'000.0 / static_cast<double>(heard.steps.size() - 1);
  EXPECT_NEAR(mean, 1.875, 3 * 1.05 / std::sqrt(53'000.0));
}

TEST(Replica, DraftsAreStepsOfTheDraft) {
  const AffineCosts model(1000, 10, 0, 0), draft(100, 1, 0, 5);
  EngineOptions options;
  options.speculation = {.tokens = 2, .acceptance = 0.5};
  StepFeatures step;
  step.add_prefill(20, 0);
  step.add_decode(3, 40);
  step.add_decode(3, 50);
  // The model checks 26 tokens. The draft reads the 20 and proposes from contexts of 40 and 50,
  // then proposes from 41 and 51.
  EXPECT_EQ(step_cost(step, options, model, &draft).time,
            Nanoseconds(1000 + 260 + (100 + 22 + 5 * 90) + (100 + 2 + 5 * 92)));
  EXPECT_EQ(step_cost(step, options, model, nullptr).time, Nanoseconds(1260));
}

TEST(Replica, StagesWorkOnBatchesThatFollowEachOther) {
  AffineCosts costs(200, 0);
  costs.stages = 2;
  EngineOptions options = small_engine();
  options.pipeline_stages = 2;
  Heard heard;
  Replica replica(0, options, costs, nullptr, heard);
  // The prompt's second piece follows the first into the pipeline; a token is written when the step
  // before has ended.
  run(replica, {request(0, 0, 16, 2)});
  ASSERT_EQ(heard.steps.size(), 3u);
  EXPECT_EQ(heard.steps[0].end, Nanoseconds(200));
  EXPECT_EQ(heard.steps[1].start, Nanoseconds(100));
  EXPECT_EQ(heard.steps[1].end, Nanoseconds(300));
  EXPECT_EQ(heard.steps[2].start, Nanoseconds(300));
  EXPECT_EQ(heard.steps[2].end, Nanoseconds(500));

  Heard two;
  Replica both(0, options, costs, nullptr, two);
  run(both, {request(0, 0, 4, 3), request(1, 50, 4, 3)});
  // Each has its own batch; their steps alternate.
  ASSERT_EQ(two.steps.size(), 6u);
  for (int i = 0; i < 6; ++i) {
    EXPECT_EQ(two.steps[i].start, Nanoseconds(100 * i));
    EXPECT_EQ(two.steps[i].end, Nanoseconds(100 * i + 200));
  }
}

TEST(Replica, AShortStepDoesNotOvertakeALongOneInThePipeline) {
  AffineCosts costs(0, 10);
  costs.stages = 2;
  EngineOptions options = small_engine();
  options.pipeline_stages = 2;
  Heard heard;
  Replica replica(0, options, costs, nullptr, heard);
  run(replica, {request(0, 0, 8, 1), request(1, 40, 2, 1)});
  EXPECT_EQ(heard.steps[0].end, Nanoseconds(80));
  EXPECT_EQ(heard.steps[1].start, Nanoseconds(40));
  EXPECT_EQ(heard.steps[1].end, Nanoseconds(90));  // not 60: the last stage is busy until 80
}

TEST(Replica, APrefillReplicaHandsOverAndADecodeReplicaGoesOn) {
  const AffineCosts costs(100, 0);
  EngineOptions options = small_engine();
  options.role = Role::prefill;
  Heard heard;
  Replica reader(0, options, costs, nullptr, heard);
  run(reader, {request(0, 0, 8, 3), request(1, 0, 8, 3)});
  ASSERT_EQ(heard.handed_over.size(), 2u);
  EXPECT_TRUE(heard.records.empty());
  EXPECT_EQ(heard.handed_records[0].output_tokens, 1);
  EXPECT_EQ(heard.handed_records[0].first_token, Nanoseconds(100));
  EXPECT_EQ(reader.free_blocks(), 16);

  options.role = Role::decode;
  options.num_blocks = 3;  // 8 + 3 tokens, less the last one, take three blocks
  Heard told;
  Replica writer(1, options, costs, nullptr, told);
  for (int i = 0; i < 2; ++i) {
    writer.submit_prefilled(heard.handed_over[i], heard.handed_records[i], Nanoseconds(500));
  }
  run(writer, {});
  // Their prompts take two blocks each, so the second waits until the first is gone.
  ASSERT_EQ(told.records.size(), 2u);
  EXPECT_EQ(told.steps[0].start, Nanoseconds(500));
  EXPECT_EQ(told.steps[0].features.decode_context, 8);
  EXPECT_EQ(told.records[0].last_token, Nanoseconds(700));
  EXPECT_EQ(told.records[1].first_token, Nanoseconds(200));
  EXPECT_EQ(told.records[1].last_token, Nanoseconds(900));
  EXPECT_EQ(told.records[1].replica, 1);
}

TEST(Replica, WithoutATokenFromElsewhereTheLastOfThePromptIsComputedOnceMore) {
  const AffineCosts costs(100, 0);
  EngineOptions options = small_engine();
  options.role = Role::decode;
  Heard heard;
  Replica replica(0, options, costs, nullptr, heard);
  RequestRecord so_far;
  so_far.prompt_tokens = 8;
  replica.submit_prefilled(request(0, 0, 8, 2), so_far, Nanoseconds(500));
  run(replica, {});
  ASSERT_EQ(heard.steps.size(), 2u);
  EXPECT_EQ(heard.steps[0].features.decode_context, 7);
  EXPECT_EQ(heard.records[0].first_token, Nanoseconds(600));
  EXPECT_EQ(heard.records[0].last_token, Nanoseconds(700));
}

TEST(Replica, AStaticBatchIsPaddedAndEndsWithItsLongestOutput) {
  const AffineCosts costs(100, 0);
  EngineOptions options = small_engine();
  options.batching = Batching::static_batches;
  options.max_model_len = 32;  // 16 blocks hold two sequences of 32
  Heard heard;
  Replica replica(0, options, costs, nullptr, heard);
  run(replica, {request(0, 0, 10, 2), request(1, 0, 4, 4), request(2, 0, 4, 1)});

  ASSERT_EQ(heard.steps.size(), 5u);
  EXPECT_EQ(heard.steps[0].features.prefill_tokens, 20);
  EXPECT_EQ(heard.steps[0].waiting, 1);
  EXPECT_EQ(heard.steps[3].features.decode_sequences, 2);  // one of them has written all
  EXPECT_EQ(heard.steps[3].features.decode_context, 11 + 6);
  EXPECT_EQ(heard.records[0].last_token, Nanoseconds(200));
  EXPECT_EQ(heard.records[1].last_token, Nanoseconds(400));
  EXPECT_EQ(heard.records[2].first_scheduled, Nanoseconds(400));
}

/// Asks again as soon as it is answered.
struct Insistent final : Observer {
  Replica* replica = nullptr;
  std::int64_t asked = 1;
  Nanoseconds last;
  void finished(const RequestRecord& record) override {
    last = record.last_token;
    if (asked == 5) return;
    replica->submit(request(asked++, last.count(), 4, 1), last);
  }
  void between_tokens(Nanoseconds, std::int64_t, int) override {}
};

TEST(Replica, ARequestMayComeWhileAStepEnds) {
  const AffineCosts costs(100, 0);
  Insistent observer;
  Replica replica(0, small_engine(), costs, nullptr, observer);
  observer.replica = &replica;
  run(replica, {request(0, 0, 4, 1)});
  EXPECT_EQ(observer.asked, 5);
  EXPECT_EQ(observer.last, Nanoseconds(500));
}

}  // namespace
}  // namespace presil::serving
