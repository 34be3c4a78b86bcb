#include "fleet/pod.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "fleet/highest_rate.h"
#include "fleet/statistics.h"
#include "serving/engine/testing/one_replica.h"

namespace presil::fleet {
namespace {

using serving::testing::AffineCosts;

constexpr double kService = 0.1;  // s: what a request takes below

/// One request at a time, 0.1 s and 1 J each, 3 W while there is none: an M/D/1 queue.
class Queue {
 public:
  Queue() {
    bodies_[0].prompt_tokens = 1;
    bodies_[0].output_tokens = 1;
    slo_ = serving::parse_slo("mean_ttft<=0.35s");
    run_.replica.costs = &costs_;
    run_.replica.engine.max_num_seqs = 1;
    run_.replica.engine.num_blocks = 16;
    run_.replica.idle = Watts(3);
    run_.router.routing = serving::Routing::random;
    run_.bodies = bodies_;
    run_.slo = &slo_;
    run_.warm_up = 0.25;
  }

  PodRun run(std::span<const double> rates, double requests, std::uint64_t seed) const {
    PodRun run = run_;
    run.rates = rates;
    run.requests_per_window = requests;
    run.seed = seed;
    return run;
  }

 private:
  AffineCosts costs_{100'000'000, 0};
  std::array<serving::Request, 1> bodies_;
  serving::Slo slo_;
  PodRun run_;
};

double mean(const std::vector<float>& values) {
  double sum = 0;
  for (const float v : values) sum += static_cast<double>(v);
  return sum / static_cast<double>(values.size());
}

/// Pollaczek-Khinchine for a fixed service time.
double expected_ttft(double load) {
  return kService + load * kService / (2 * (1 - load));
}

// 200 times eight replicas each; of so many intervals of 95 %, 190 should hold the formula's mean.
// Seeded, so that the number is always the same; 180 and 198 are three deviations from 190.
TEST(Pod, IntervalsHoldAKnownMeanAsOftenAsTheySay) {
  const Queue queue;
  const double rates[] = {6};
  int held = 0;
  for (std::uint64_t repetition = 0; repetition < 200; ++repetition) {
    std::vector<double> sections;
    for (std::uint64_t j = 0; j < 8; ++j) {
      sections.push_back(
          mean(simulate_pod(queue.run(rates, 400, 8 * repetition + j)).windows[0].ttft_s));
    }
    const Estimate e = mean_estimate(sections, 0.95);
    if (e.low() <= expected_ttft(0.6) && expected_ttft(0.6) <= e.high()) ++held;
  }
  EXPECT_GE(held, 180);
  EXPECT_LE(held, 198);
}

// Windows of different loads follow each other and each is what it would be alone. Busy 3/10 of the
// time at 10 W, idle for the rest at 3 W: 5.1 W; and 8/10: 8.6 W.
TEST(Pod, EveryHourHasItsOwnRate) {
  const Queue queue;
  const double rates[] = {3, 0, 8};
  std::vector<double> calm, rush, calm_watts, rush_watts;
  for (std::uint64_t j = 0; j < 10; ++j) {
    const PodResult pod = simulate_pod(queue.run(rates, 20000, j));
    EXPECT_EQ(pod.windows[1].seconds, 0);
    EXPECT_EQ(pod.windows[1].finished, 0);
    calm.push_back(mean(pod.windows[0].ttft_s));
    rush.push_back(mean(pod.windows[2].ttft_s));
    calm_watts.push_back(pod.windows[0].joules / pod.windows[0].seconds);
    rush_watts.push_back(pod.windows[2].joules / pod.windows[2].seconds);
  }
  const auto holds = [](const std::vector<double>& sections, double expected) {
    const Estimate e = mean_estimate(sections, 0.999);
    return e.low() <= expected && expected <= e.high() && e.half_width < 0.1 * expected;
  };
  EXPECT_TRUE(holds(calm, expected_ttft(0.3)));
  EXPECT_TRUE(holds(rush, expected_ttft(0.8)));
  EXPECT_TRUE(holds(calm_watts, 5.1));
  EXPECT_TRUE(holds(rush_watts, 8.6));
}

TEST(Pod, NoRequestIsLost) {
  const Queue queue;
  const double rates[] = {6, 12};  // less than it can do, then more
  const PodResult pod = simulate_pod(queue.run(rates, 500, 1));
  EXPECT_GT(pod.left, 0);
  EXPECT_EQ(pod.arrived, pod.ended + pod.left);
  EXPECT_NEAR(static_cast<double>(pod.arrived), 1500, 150);  // 3 windows, deviation 39
}

TEST(Pod, ARequestThatIsTooLongIsRefusedAndCounted) {
  const Queue queue;
  const double rates[] = {5};
  PodRun run = queue.run(rates, 300, 1);
  serving::Request bodies[2];
  bodies[1].prompt_tokens = 100'000;
  run.bodies = bodies;
  const PodResult pod = simulate_pod(run);
  const WindowSums& sums = pod.windows[0];
  EXPECT_EQ(pod.arrived, pod.ended + pod.left);
  EXPECT_NEAR(static_cast<double>(sums.refused) / static_cast<double>(sums.arrived), 0.5, 0.1);
  EXPECT_EQ(sums.kept, sums.finished - std::count_if(sums.ttft_s.begin(), sums.ttft_s.end(),
                                                     [](float t) { return t > 0.35F; }));
}

TEST(Pod, TheSameSeedGivesTheSameRequests) {
  const Queue queue;
  const double rates[] = {6};
  const PodResult a = simulate_pod(queue.run(rates, 500, 7));
  const PodResult b = simulate_pod(queue.run(rates, 500, 7));
  const PodResult other = simulate_pod(queue.run(rates, 500, 8));
  EXPECT_EQ(a.windows[0].ttft_s, b.windows[0].ttft_s);
  EXPECT_NE(a.windows[0].ttft_s, other.windows[0].ttft_s);
}

// What a random router gives each of four replicas is a Poisson process: they wait as one alone
// does. Behind least_loaded they wait less.
TEST(Pod, RandomRoutingMakesReplicasIndependent) {
  const Queue queue;
  const double rates[] = {8};
  const auto wait = [&](serving::Routing routing) {
    std::vector<double> sections;
    for (std::uint64_t j = 0; j < 10; ++j) {
      PodRun run = queue.run(rates, 8000, j);
      run.replicas = 4;
      run.router.routing = routing;
      sections.push_back(mean(simulate_pod(run).windows[0].ttft_s));
    }
    return mean_estimate(sections, 0.999);
  };
  const Estimate random = wait(serving::Routing::random);
  EXPECT_LE(random.low(), expected_ttft(0.8));
  EXPECT_GE(random.high(), expected_ttft(0.8));
  EXPECT_LT(wait(serving::Routing::least_loaded).high(), random.low());
}

// 0.1 + 0.1 x load / (2 - 2 load) = 0.35 at load / (1 - load) = 5: 5/6, 8.33 requests/s.
TEST(HighestRate, IsWhereTheFormulaMeetsThePromise) {
  const Queue queue;
  const HighestRate found = find_highest_rate(queue.run({}, 8000, 3), 8);
  EXPECT_NEAR(found.rate, 8.33, 0.2);
  EXPECT_EQ(found.limit, "mean_ttft<=0.35s");
  EXPECT_GT(found.limit_value_s, 0.35);
  EXPECT_NEAR(found.watts, 3 + 7 * found.rate * kService, 0.3);
  EXPECT_GT(found.requests, 8 * 8000);
}

TEST(HighestRate, IsNoneForAPromiseThatCannotBeKept) {
  const Queue queue;
  const serving::Slo slo = serving::parse_slo("p50_ttft<=50ms");
  PodRun run = queue.run({}, 200, 3);
  run.slo = &slo;
  const HighestRate found = find_highest_rate(run, 2);
  EXPECT_EQ(found.rate, 0);
  EXPECT_EQ(found.limit, "p50_ttft<=50ms");
  EXPECT_NEAR(found.limit_value_s, 0.1, 0.01);
}

}  // namespace
}  // namespace presil::fleet
