#include "explore/steps.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace presil {
namespace {

TEST(Steps, SequencesTakeTheirLengthsInTurn) {
  RunRequest q;
  q.batch = 5;
  q.contexts = {1024, 2048};
  q.prompts = {100, 7, 30};
  const auto phases = steps_of(q, std::nullopt);
  ASSERT_EQ(phases.size(), 2u);
  EXPECT_EQ(phases[0].steps.front().sequences,
            (std::vector<Sequence>{{100, 0}, {7, 0}, {30, 0}, {100, 0}, {7, 0}}));
  EXPECT_EQ(phases[0].tokens, 244);
  EXPECT_EQ(phases[1].steps.front().sequences,
            (std::vector<Sequence>{{1, 1024}, {1, 2048}, {1, 1024}, {1, 2048}, {1, 1024}}));
  EXPECT_EQ(phases[1].tokens, 5);
}

TEST(Steps, AReplicaHasItsShareAndTheHeaviestStandsForAll) {
  RunRequest q;
  q.phase = PhaseChoice::decode;
  q.batch = 8;
  q.data_parallel = 2;
  q.pipeline_parallel = 2;
  q.contexts = {1, 2, 3, 4};
  const auto phases = steps_of(q, std::nullopt);
  // Four hands of two: {1, 1}, {2, 2}, {3, 3}, {4, 4}.
  EXPECT_EQ(phases[0].steps.front().sequences, (std::vector<Sequence>{{1, 4}, {1, 4}}));
  EXPECT_EQ(phases[0].microbatches, 2);
  EXPECT_EQ(phases[0].tokens, 8);
  EXPECT_EQ(chips_of(q), 4);
}

TEST(Steps, MicrobatchesAreOneAStageWhereTheyDivide) {
  const auto microbatches = [](std::int64_t batch, std::int64_t stages) {
    RunRequest q;
    q.batch = batch;
    q.pipeline_parallel = stages;
    return steps_of(q, std::nullopt).front().microbatches;
  };
  EXPECT_EQ(microbatches(1, 4), 1);
  EXPECT_EQ(microbatches(8, 4), 4);
  EXPECT_EQ(microbatches(6, 4), 3);
}

TEST(StepsRefuse, ABatchThatDoesNotDivide) {
  RunRequest q;
  q.batch = 6;
  q.data_parallel = 4;
  EXPECT_THROW(steps_of(q, std::nullopt), InputError);
  q.data_parallel = 2;
  q.microbatches = 2;
  EXPECT_THROW(steps_of(q, std::nullopt), InputError);
}

}  // namespace
}  // namespace presil
