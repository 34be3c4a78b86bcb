#include "serving/metrics/collector.h"

#include <cmath>

#include <gtest/gtest.h>

namespace presil::serving {
namespace {

constexpr Nanoseconds ms(std::int64_t n) {
  return Nanoseconds(n * 1'000'000);
}

PoolFacts one_replica() {
  return {.name = "a100", .replicas = 1, .idle_watts = 50, .peak_flops = 1e12};
}

StepRecord step(Nanoseconds start, Nanoseconds end, double joules, double flops) {
  StepRecord record;
  record.start = start;
  record.end = end;
  record.features.add_prefill(10, 0);
  record.cost = {end - start, end - start, joules, 0, flops};
  return record;
}

// Ten requests; the i-th takes i x 10 ms to its first token and writes 5 more, 2 ms apart.
TEST(Collector, LatenciesAreThoseOfVllmsBenchmark) {
  Collector collector({one_replica()}, {}, parse_slo("p50_ttft<=55ms,mean_e2e<=64ms"));
  for (int i = 1; i <= 10; ++i) {
    RequestRecord record;
    record.prompt_tokens = 100;
    record.cached_tokens = 25;
    record.output_tokens = 6;
    record.arrival = ms(5);
    record.first_token = ms(5 + 10 * i);
    record.last_token = record.first_token + ms(10);
    collector.finished(record);
    collector.between_tokens(ms(2), 5, 0);
  }

  ServiceResult result = collector.result(ms(2000));

  EXPECT_DOUBLE_EQ(result.latency.ttft_s.mean, 0.055);
  EXPECT_DOUBLE_EQ(result.latency.ttft_s.p50, 0.055);  // rank 4.5: between 50 and 60 ms
  EXPECT_DOUBLE_EQ(result.latency.ttft_s.p90, 0.091);  // rank 8.1
  EXPECT_DOUBLE_EQ(result.latency.ttft_s.p99, 0.0991);
  EXPECT_DOUBLE_EQ(result.latency.tpot_s.p99, 0.002);
  EXPECT_DOUBLE_EQ(result.latency.itl_s.mean, 0.002);
  EXPECT_DOUBLE_EQ(result.latency.e2e_s.mean, 0.065);
  EXPECT_DOUBLE_EQ(result.request_throughput, 5);
  EXPECT_DOUBLE_EQ(result.output_throughput, 30);
  EXPECT_DOUBLE_EQ(result.total_token_throughput, 530);
  EXPECT_DOUBLE_EQ(result.prefix_hit_rate, 0.25);
  // Of single requests, five have a first token within 55 ms and five end within 64 ms.
  EXPECT_EQ(result.counts.kept, 5);
  EXPECT_DOUBLE_EQ(result.request_goodput, 2.5);
  ASSERT_EQ(result.slo.size(), 2u);
  EXPECT_TRUE(result.slo[0].met);
  EXPECT_FALSE(result.slo[1].met);
  EXPECT_FALSE(result.meets_slo());
}

TEST(Collector, ARequestOfOneTokenHasNoTimePerOutputToken) {
  Collector collector({one_replica()}, {}, {});
  RequestRecord record;
  record.output_tokens = 1;
  record.first_token = record.last_token = ms(3);
  collector.finished(record);

  const ServiceResult result = collector.result(ms(3));

  EXPECT_DOUBLE_EQ(result.latency.ttft_s.mean, 0.003);
  EXPECT_TRUE(std::isnan(result.latency.tpot_s.mean));
}

TEST(Collector, RefusalsAreCountedAndLeaveNoLatency) {
  Collector collector({one_replica()}, {}, parse_slo("p99_ttft<=1s"));
  RequestRecord record;
  record.outcome = Outcome::too_long;
  collector.finished(record);
  record.outcome = Outcome::turned_away;
  collector.finished(record);

  const ServiceResult result = collector.result(ms(1));

  EXPECT_EQ(result.counts.requests, 2);
  EXPECT_EQ(result.counts.completed, 0);
  EXPECT_EQ(result.counts.rejected(), 2);
  EXPECT_TRUE(std::isnan(result.latency.ttft_s.p99));
  EXPECT_FALSE(result.slo[0].met);  // nobody had a first token within a second
}

// Steps of 10 and 20 ms with 5 J and 8 J, 10 ms before, between and 60 ms after: 80 ms at 50 W.
TEST(Collector, EnergyIsThatOfStepsAndOfIdleTime) {
  Collector collector({one_replica()}, {}, {});
  collector.power_on(0, ms(0));
  collector.stepped(step(ms(10), ms(20), 5, 2e9));
  collector.stepped(step(ms(30), ms(50), 8, 4e9));

  const ServiceResult result = collector.result(ms(110));

  ASSERT_EQ(result.pools.size(), 1u);
  EXPECT_DOUBLE_EQ(result.pools[0].busy_s, 0.030);
  EXPECT_DOUBLE_EQ(result.pools[0].idle_s, 0.080);
  EXPECT_DOUBLE_EQ(result.pools[0].step_energy_j, 13);
  EXPECT_DOUBLE_EQ(result.pools[0].idle_energy_j, 4);
  EXPECT_DOUBLE_EQ(result.energy_j, 17);
  EXPECT_DOUBLE_EQ(result.power_w, 17 / 0.11);
  EXPECT_DOUBLE_EQ(result.mfu, 6e9 / (1e12 * 0.11));
  EXPECT_DOUBLE_EQ(result.mfu_busy, 6e9 / (1e12 * 0.03));
  double drawn = 0;
  for (const SeriesPoint& point : result.series) drawn += point.power_w * 0.001;
  EXPECT_NEAR(drawn, 17, 1e-9);
}

// A pipeline takes the next step after its first stage: 10 ms each, 30 ms through all.
TEST(Collector, APipelineIsBusyForItsIntervals) {
  Collector collector({one_replica()}, {}, {});
  collector.power_on(0, ms(0));
  for (int i = 0; i < 3; ++i) {
    StepRecord record = step(ms(10 * i), ms(10 * i + 30), 1, 0);
    record.cost.interval = ms(10);
    collector.stepped(record);
  }

  const ServiceResult result = collector.result(ms(50));

  EXPECT_DOUBLE_EQ(result.pools[0].busy_s, 0.030);
  EXPECT_DOUBLE_EQ(result.pools[0].idle_s, 0.020);
}

TEST(Collector, AReplicaWithoutPowerDrawsNothing) {
  Collector collector({{.name = "a", .replicas = 2, .idle_watts = 100}}, {}, {});
  collector.power_on(0, ms(0));
  collector.power_on(1, ms(20));
  collector.power_off(1, ms(50));

  const ServiceResult result = collector.result(ms(100));

  EXPECT_DOUBLE_EQ(result.energy_j, 100 * 0.1 + 100 * 0.03);
  EXPECT_DOUBLE_EQ(result.pools[0].mean_replicas, 1.3);
  EXPECT_EQ(result.pools[0].most_replicas, 2);
}

TEST(Collector, LevelsAreWeightedByTime) {
  Collector collector({one_replica()}, {}, {});
  collector.level(ms(0), {.waiting = 3, .running = 1, .used_blocks = 8, .blocks = 10}, 0);
  collector.level(ms(10), {.waiting = 1, .running = 2, .used_blocks = 4, .blocks = 10}, 5);

  const ServiceResult result = collector.result(ms(40));

  EXPECT_DOUBLE_EQ(result.queue.mean, (3.0 * 10 + 1 * 30) / 40);
  EXPECT_EQ(result.queue.max, 3);
  EXPECT_DOUBLE_EQ(result.running.mean, (1.0 * 10 + 2 * 30) / 40);
  EXPECT_DOUBLE_EQ(result.kv_use.mean, (0.8 * 10 + 0.4 * 30) / 40);
  EXPECT_DOUBLE_EQ(result.kv_use.max, 0.8);
  EXPECT_TRUE(result.request_time.in_transfer_ns == 5 * ms(30).count());
}

TEST(Collector, AClassWithoutAPromiseHasTheServices) {
  Collector collector({one_replica()}, {{"chat", {}}}, parse_slo("p99_ttft<=10ms"));
  RequestRecord record;
  record.output_tokens = 1;
  record.first_token = record.last_token = ms(20);
  collector.finished(record);

  const ServiceResult result = collector.result(ms(1000));

  EXPECT_EQ(result.counts.kept, 0);
  ASSERT_EQ(result.classes[0].slo.size(), 1u);
  EXPECT_FALSE(result.classes[0].slo[0].met);
}

// A step from 10 to 20 ms with the warm-up's end in it counts whole; idle time from 20 ms on.
TEST(Collector, AStepInFlightAtTheEndOfTheWarmUpCountsWhole) {
  Collector collector({one_replica()}, {}, {});
  collector.power_on(0, ms(0));
  collector.end_warm_up(ms(15));
  collector.stepped(step(ms(10), ms(20), 5, 0));

  const ServiceResult result = collector.result(ms(30));

  EXPECT_DOUBLE_EQ(result.pools[0].busy_s, 0.010);
  EXPECT_DOUBLE_EQ(result.pools[0].idle_s, 0.010);
  EXPECT_DOUBLE_EQ(result.duration_s, 0.015);
  double drawn = 0;
  for (const SeriesPoint& point : result.series) drawn += point.power_w * 0.001;
  EXPECT_NEAR(drawn, 5 + 50 * 0.020, 1e-9);  // all of the run
}

TEST(Collector, ClassesAreJudgedByTheirOwnPromise) {
  Collector collector({one_replica()},
                      {{"chat", parse_slo("p99_ttft<=10ms")}, {"batch", parse_slo("p99_ttft<=1s")}},
                      parse_slo("p99_ttft<=10ms"));
  for (const int slo_class : {0, 1, 1}) {
    RequestRecord record;
    record.slo_class = slo_class;
    record.output_tokens = 1;
    record.first_token = record.last_token = ms(20);
    collector.finished(record);
  }

  const ServiceResult result = collector.result(ms(1000));

  ASSERT_EQ(result.classes.size(), 2u);
  EXPECT_EQ(result.classes[0].counts.kept, 0);
  EXPECT_EQ(result.classes[1].counts.kept, 2);
  EXPECT_FALSE(result.classes[0].slo[0].met);
  EXPECT_TRUE(result.classes[1].slo[0].met);
  EXPECT_EQ(result.counts.completed, 3);
  EXPECT_DOUBLE_EQ(result.request_goodput, 2);
  EXPECT_DOUBLE_EQ(result.latency.ttft_s.p50, 0.020);
}

}  // namespace
}  // namespace presil::serving
