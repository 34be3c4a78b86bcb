#include "store/record.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace presil {
namespace {

constexpr std::string_view kResult = R"({
  "schema": "presil/run/1", "chip": "demo", "model": "tiny",
  "phases": {"decode": {"time_s": 0.5, "bound_by": "dram", "dram_bandwidth_gbs": 100,
                        "dram": {"commands": {"ACT": 7}}}},
  "ops": [{"phase": "decode", "name": "qkv", "layer": 3, "start_s": 1e-6, "end_s": 3e-6,
           "flops": 10, "dram_bytes": 20, "bound_by": "dram"},
          {"phase": "decode", "name": "head", "start_s": 3e-6, "end_s": 4e-6}],
  "tokens": [{"id": 5, "text": " Paris"}],
  "cost": {"usd_per_mtoken": 0.25}
})";

TEST(RunRecord, TakesEveryNumberOfAPhaseWithTheUnitOfItsKey) {
  const RunRecord record = record_of(kResult);

  ASSERT_EQ(record.metrics.size(), 4u);
  EXPECT_EQ(record.metrics[0].scope, "decode");
  EXPECT_EQ(record.metrics[0].name, "time_s");
  EXPECT_EQ(record.metrics[0].value, 0.5);
  EXPECT_EQ(record.metrics[0].unit, "s");
  EXPECT_EQ(record.metrics[1].unit, "GB/s");
  EXPECT_EQ(record.metrics[2].name, "dram.commands.ACT");
  EXPECT_EQ(record.metrics[3].scope, "cost");
  EXPECT_EQ(record.metrics[3].unit, "USD");
}

TEST(RunRecord, KeepsOperatorsInPicosecondsAndTokensInOrder) {
  const RunRecord record = record_of(kResult);

  ASSERT_EQ(record.ops.size(), 2u);
  EXPECT_EQ(record.ops[0].layer, 3);
  EXPECT_EQ(record.ops[0].start_ps, 1'000'000);  // 1e-6 s
  EXPECT_EQ(record.ops[0].end_ps, 3'000'000);
  EXPECT_EQ(record.ops[1].layer, -1);
  ASSERT_EQ(record.tokens.size(), 1u);
  EXPECT_EQ(record.tokens[0].text, " Paris");
}

TEST(RunRecord, OfAResultWithoutPartsHasNoRows) {
  const RunRecord record = record_of(R"({"schema": "presil/cost/1"})");

  EXPECT_TRUE(record.metrics.empty());
  EXPECT_TRUE(record.ops.empty());
  EXPECT_EQ(record.chip, "");
}

TEST(RunRecord, OfSomethingThatIsNotJsonIsABrokenPromise) {
  EXPECT_THROW(record_of("nonsense"), InternalError);
}

}  // namespace
}  // namespace presil
