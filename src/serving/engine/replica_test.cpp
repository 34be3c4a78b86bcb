#include "serving/engine/replica.h"

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

}  // namespace
}  // namespace presil::serving
