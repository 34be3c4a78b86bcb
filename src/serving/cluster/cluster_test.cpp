#include "serving/cluster/cluster.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "base/draws.h"
#include "base/error.h"
#include "base/parallel.h"
#include "serving/engine/testing/one_replica.h"

namespace presil::serving {
namespace {

using testing::AffineCosts;
using testing::Heard;
using testing::request;

class Requests final : public RequestSource {
 public:
  explicit Requests(std::vector<Request> list) : list_(std::move(list)) {}
  std::optional<Request> next() override {
    if (given_ == list_.size()) return std::nullopt;
    return list_[given_++];
  }
  Nanoseconds next_arrival() const override {
    return given_ < list_.size() ? list_[given_].arrival : kLongestService;
  }

 private:
  std::vector<Request> list_;
  std::size_t given_ = 0;
};

// Each user asks anew when the last answer has come, without thinking.
class Users final : public RequestSource {
 public:
  Users(int users, int requests) : left_(requests), ready_(static_cast<std::size_t>(users)) {}
  std::optional<Request> next() override {
    Request one = request(next_id_++, ready_.back().count(), 100, 10);
    ready_.pop_back();
    --left_;
    return one;
  }
  Nanoseconds next_arrival() const override {
    return left_ > 0 && !ready_.empty() ? ready_.back() : kLongestService;
  }
  void ended(const Request&, Nanoseconds at) override { ready_.push_back(at); }

 private:
  int left_;
  std::vector<Nanoseconds> ready_;
  std::int64_t next_id_ = 0;
};

std::vector<Request> drawn_requests(int count, double per_second, std::uint64_t seed = 3) {
  std::vector<Request> list;
  double at = 0;
  for (int i = 0; i < count; ++i) {
    Draws draws(seed, 1, static_cast<std::uint64_t>(i));
    at += draws.exponential() / per_second * 1e9;
    list.push_back(request(i, static_cast<std::int64_t>(at),
                           1 + static_cast<std::int64_t>(draws.below(2000)),
                           1 + static_cast<std::int64_t>(draws.below(200))));
    list.back().session = static_cast<std::int64_t>(draws.below(20));
    const std::uint64_t document = draws.below(8);
    for (std::int64_t b = 0; b < list.back().prompt_tokens / 256; ++b) {
      list.back().prefix.push_back(1000 * document + static_cast<std::uint64_t>(b));
    }
    list.back().prefix_block = 256;
  }
  return list;
}

const AffineCosts kCosts(5'000'000, 20'000, 10'000, 10);  // ns

Pool pool(std::string name, int replicas, Role role = Role::both) {
  Pool one;
  one.name = std::move(name);
  one.engine.role = role;
  one.engine.num_blocks = 2000;
  one.costs = &kCosts;
  one.replicas = replicas;
  one.idle_watts = 80;
  one.peak_flops = 1e12;
  one.kv_bytes_per_token = 131'072;
  return one;
}

Cluster cluster_of(std::vector<Pool> pools) {
  Cluster cluster;
  cluster.pools = std::move(pools);
  return cluster;
}

ServiceResult run(const Cluster& cluster, std::vector<Request> list, Observer* listener = nullptr) {
  Requests load(std::move(list));
  return simulate(cluster, load, listener);
}

// What must hold of any run: every request ends once, with all its tokens; Little's law; energy is
// that of steps and of idle time.
void expect_laws(const ServiceResult& result, const Heard& heard,
                 const std::vector<Request>& list) {
  std::map<std::int64_t, const Request*> asked;
  for (const Request& one : list) asked[one.id] = &one;
  std::int64_t in_system = 0, tokens = 0;
  for (const RequestRecord& record : heard.records) {
    ASSERT_EQ(asked.count(record.id), 1u) << "ends once: " << record.id;
    const Request& one = *asked[record.id];
    asked.erase(record.id);
    if (record.outcome == Outcome::too_long) continue;
    in_system += (record.last_token - record.arrival).count();
    if (record.outcome == Outcome::turned_away) continue;
    EXPECT_EQ(record.output_tokens, one.output_tokens);
    EXPECT_GT(record.first_token, record.arrival);
    EXPECT_GE(record.last_token, record.first_token);
    tokens += record.output_tokens;
  }
  EXPECT_TRUE(asked.empty());
  EXPECT_EQ(result.counts.requests, static_cast<std::int64_t>(list.size()));
  EXPECT_EQ(result.counts.output_tokens, tokens);

  const RequestTime& time = result.request_time;
  EXPECT_TRUE(time.waiting_ns + time.running_ns + time.in_transfer_ns == in_system);

  double energy = 0;
  std::int64_t steps = 0;
  for (const StepRecord& step : heard.steps) energy += step.cost.energy_j;
  for (const PoolResult& one : result.pools) {
    energy += 80 * one.idle_s;
    steps += one.steps;
  }
  EXPECT_EQ(steps, static_cast<std::int64_t>(heard.steps.size()));
  EXPECT_NEAR(result.energy_j, energy, 1e-9 * energy);
  double drawn = 0;
  for (std::size_t i = 0; i < result.series.size(); ++i) {
    const double end = i + 1 < result.series.size() ? result.series[i + 1].t_s : result.duration_s;
    drawn += result.series[i].power_w * (end - result.series[i].t_s);
  }
  EXPECT_NEAR(drawn, energy, 1e-6 * energy);
  EXPECT_LE(result.kv_use.max, 1);
}

TEST(Cluster, OneReplicaIsThatReplica) {
  const std::vector<Request> list = drawn_requests(300, 4);
  Heard alone;
  Replica replica(0, pool("a", 1).engine, kCosts, nullptr, alone);
  testing::run(replica, list);

  Heard served;
  const ServiceResult result = run(cluster_of({pool("a", 1)}), list, &served);

  ASSERT_EQ(served.records.size(), alone.records.size());
  for (std::size_t i = 0; i < alone.records.size(); ++i) {
    EXPECT_EQ(served.records[i].id, alone.records[i].id);
    EXPECT_EQ(served.records[i].last_token, alone.records[i].last_token);
  }
  EXPECT_EQ(served.steps.size(), alone.steps.size());
  expect_laws(result, served, list);
}

TEST(Cluster, KeepsItsLawsUnderEveryRouter) {
  const std::vector<Request> list = drawn_requests(600, 20);
  for (const Routing routing : {Routing::round_robin, Routing::least_loaded, Routing::prefix_aware,
                                Routing::session, Routing::random}) {
    SCOPED_TRACE(to_string(routing));
    Cluster cluster = cluster_of({pool("a", 2), pool("b", 2)});
    cluster.pools[1].weight = 2;
    cluster.spec.router.routing = routing;
    Heard heard;
    const ServiceResult result = run(cluster, list, &heard);
    expect_laws(result, heard, list);
    std::set<int> used;
    for (const RequestRecord& record : heard.records) used.insert(record.replica);
    EXPECT_EQ(used.size(), 4u);
  }
}

TEST(Cluster, PrefixAwareRoutingFindsMoreThanRandom) {
  const std::vector<Request> list = drawn_requests(600, 10);
  Cluster cluster = cluster_of({pool("a", 4)});
  cluster.pools[0].engine.num_blocks = 600;  // not all documents fit one cache
  cluster.spec.router.routing = Routing::random;
  const double random = run(cluster, list).prefix_hit_rate;
  cluster.spec.router.routing = Routing::prefix_aware;
  const double aware = run(cluster, list).prefix_hit_rate;
  EXPECT_GT(aware, 1.1 * random);
}

TEST(Cluster, ReplicasThatGetNothingOnlyIdle) {
  Cluster cluster = cluster_of({pool("a", 3)});
  const ServiceResult result = run(cluster, {request(0, 1000, 100, 5)});

  EXPECT_NEAR(result.pools[0].idle_s + result.pools[0].busy_s, 3 * result.duration_s, 1e-9);
  EXPECT_EQ(result.pools[0].steps, 5);
  EXPECT_DOUBLE_EQ(result.pools[0].mean_replicas, 3);
}

TEST(Cluster, OfAClosedLoopNeverHoldsMoreThanItsUsers) {
  Users users(7, 200);
  Heard heard;
  const ServiceResult result = simulate(cluster_of({pool("a", 2)}), users, &heard);

  EXPECT_EQ(result.counts.completed, 200);
  EXPECT_LE(result.running.max, 7);
  EXPECT_NEAR(result.running.mean + result.queue.mean, 7, 0.2);  // but for the last few
}

// 8 MB at 1 GB/s and 3 us: 8.003 ms between the prefill step and the decode replica's.
TEST(Cluster, DisaggregatedTheFirstTokenIsTheDecodeReplicas) {
  Cluster cluster = cluster_of({pool("p", 1, Role::prefill), pool("d", 1, Role::decode)});
  cluster.pools[0].kv_bytes_per_token = 80'000;
  cluster.spec.transfer = TransferSpec{BytesPerSecond(1e9), Nanoseconds(3000)};
  const std::vector<Request> list{request(0, 0, 100, 3)};
  Heard heard;

  const ServiceResult result = run(cluster, list, &heard);

  ASSERT_EQ(heard.steps.size(), 4u);
  EXPECT_EQ(heard.steps[1].start - heard.steps[0].end, Nanoseconds(8'003'000));
  ASSERT_EQ(heard.records.size(), 1u);
  EXPECT_EQ(heard.records[0].first_token, heard.steps[1].end);
  EXPECT_EQ(heard.records[0].last_token, heard.steps[3].end);
  EXPECT_EQ(heard.records[0].replica, 1);
  EXPECT_EQ(result.transfers.count, 1);
  EXPECT_DOUBLE_EQ(result.transfers.bytes, 8e6);
  EXPECT_DOUBLE_EQ(result.transfers.mean_s, 0.008003);
  EXPECT_TRUE(result.request_time.in_transfer_ns == 8'003'000);
  expect_laws(result, heard, list);
}

TEST(Cluster, DisaggregatedKeepsItsLaws) {
  const std::vector<Request> list = drawn_requests(500, 12);
  Cluster cluster = cluster_of({pool("p", 2, Role::prefill), pool("d", 3, Role::decode)});
  cluster.spec.transfer = TransferSpec{BytesPerSecond(2e9), Nanoseconds(5000)};
  Heard heard;
  const ServiceResult result = run(cluster, list, &heard);
  expect_laws(result, heard, list);
  EXPECT_EQ(result.transfers.count, result.counts.completed);
  EXPECT_GT(result.transfers.mean_wait_s, 0);
  EXPECT_GT(result.prefix_hit_rate, 0.1);  // of the prefill replicas' caches
}

// Anything at once: small caches that preempt, pools of both kinds, gates, scaling.
Cluster drawn_cluster(std::uint64_t number) {
  Draws draws(11, 0, number);
  const auto one_of = [&](std::uint64_t count) {
    return static_cast<std::int64_t>(draws.below(count));
  };
  const auto small = [&](std::uint64_t most) { return 1 + static_cast<int>(draws.below(most)); };
  const auto ms = [&](std::uint64_t most) { return Nanoseconds(1'000'000 * one_of(most)); };
  Cluster cluster;
  cluster.pools.push_back(pool("a", small(3)));
  if (one_of(2) == 0) {
    cluster.pools.push_back(pool("p", small(2), Role::prefill));
    cluster.pools.push_back(pool("d", small(3), Role::decode));
    cluster.spec.transfer = TransferSpec{BytesPerSecond(1e8 * small(50)), Nanoseconds(500)};
  }
  for (Pool& one : cluster.pools) {
    one.weight = small(3);
    one.engine.num_blocks = 140 + one_of(300);  // the longest request takes 138
    one.engine.max_num_seqs = 1 + one_of(30);
    one.engine.max_num_batched_tokens = 64 + one_of(3000);
    one.engine.prefix_caching = one_of(2) == 0;
    one.engine.pipeline_stages = 1 + one_of(3);
  }
  cluster.spec.router.routing = static_cast<Routing>(one_of(5));
  if (one_of(2) == 0) {
    AdmissionSpec admission;
    if (one_of(2) == 0) admission.max_queue = small(10);
    if (one_of(2) == 0) admission.max_wait = ms(3000);
    if (one_of(2) == 0) admission.bucket = TokenBucketSpec{PerSecond(1000.0 * small(20)), 3000};
    if (one_of(2) == 0) admission.hold = ms(5000);
    cluster.spec.admission = admission;
  }
  if (one_of(2) == 0) {
    cluster.spec.autoscale = AutoscaleSpec{.by = static_cast<ScaleBy>(one_of(3)),
                                           .target = 0.5,
                                           .max_replicas = small(5),
                                           .interval = Nanoseconds(300'000'000),
                                           .start_up = ms(2000),
                                           .cool_down = ms(2000)};
    if (cluster.spec.autoscale->by == ScaleBy::requests) cluster.spec.autoscale->target = 4;
    if (cluster.spec.autoscale->by == ScaleBy::outstanding_tokens) {
      cluster.spec.autoscale->target = 3000;
    }
  }
  if (one_of(2) == 0) {
    cluster.classes.resize(2);
    cluster.classes[0].share = 0.3;
    cluster.classes[1].share = 0.7;
    cluster.classes[1].priority = small(3) - 2;
  }
  return cluster;
}

TEST(Cluster, KeepsItsLawsWhateverItIs) {
  for (std::uint64_t number = 0; number < 120; ++number) {
    SCOPED_TRACE(number);
    const std::vector<Request> list = drawn_requests(120, number % 3 == 0 ? 5 : 40, 100 + number);
    Heard heard;
    const ServiceResult result = run(drawn_cluster(number), list, &heard);
    expect_laws(result, heard, list);
    if (HasFatalFailure() || HasNonfatalFailure()) return;
  }
}

TEST(Cluster, AFullGateTurnsAwayAndCounts) {
  const std::vector<Request> list = drawn_requests(500, 200);
  Cluster cluster = cluster_of({pool("a", 1)});
  cluster.pools[0].engine.max_num_seqs = 8;
  cluster.spec.admission = AdmissionSpec{.max_queue = 10};
  cluster.slo = parse_slo("p99_ttft<=1000s");
  Heard heard;
  const ServiceResult result = run(cluster, list, &heard);
  expect_laws(result, heard, list);
  EXPECT_GT(result.counts.turned_away, 100);
  EXPECT_LE(result.queue.max, 10);
  EXPECT_TRUE(result.slo[0].met);
  EXPECT_FALSE(result.meets_slo());  // a service that turns away does not take the load
}

TEST(Cluster, PriorityIsKeptAtTheGate) {
  const std::vector<Request> list = drawn_requests(500, 60);
  Cluster cluster = cluster_of({pool("a", 1)});
  cluster.pools[0].engine.max_num_seqs = 8;
  cluster.spec.admission = AdmissionSpec{.max_queue = 2, .hold = Nanoseconds(10'000'000'000)};
  cluster.classes.push_back({.name = "chat", .share = 0.2, .priority = 1});
  cluster.classes.push_back({.name = "batch", .share = 0.8});
  Heard heard;
  const ServiceResult result = run(cluster, list, &heard);
  expect_laws(result, heard, list);
  ASSERT_EQ(result.classes.size(), 2u);
  EXPECT_GT(result.classes[1].counts.turned_away, 100);
  EXPECT_LT(result.classes[0].latency.ttft_s.p50, result.classes[1].latency.ttft_s.p50);
  EXPECT_GT(result.classes[0].counts.completed * 4, result.classes[0].counts.requests * 3);
}

AutoscaleSpec scaling() {
  AutoscaleSpec scale;
  scale.by = ScaleBy::requests;
  scale.target = 8;
  scale.max_replicas = 6;
  scale.interval = Nanoseconds(1'000'000'000);
  scale.start_up = Nanoseconds(2'000'000'000);
  scale.cool_down = Nanoseconds(3'000'000'000);
  return scale;
}

TEST(Cluster, GrowsWithTheLoadAndShrinksAfterIt) {
  std::vector<Request> list = drawn_requests(1800, 60);  // half a minute of it
  list.push_back(request(1800, 120'000'000'000, 100, 5));
  Cluster cluster = cluster_of({pool("a", 1)});
  cluster.pools[0].engine.prefix_caching = false;
  cluster.spec.autoscale = scaling();
  Heard heard;
  const ServiceResult result = run(cluster, list, &heard);
  expect_laws(result, heard, list);
  EXPECT_GT(result.pools[0].most_replicas, 2);
  EXPECT_LE(result.pools[0].most_replicas, 6);
  EXPECT_DOUBLE_EQ(result.series.front().replicas, 1);
  EXPECT_DOUBLE_EQ(result.series[result.series.size() - 2].replicas, 1);

  cluster.spec.autoscale.reset();
  const ServiceResult alone = run(cluster, list);
  EXPECT_LT(result.latency.ttft_s.p99, alone.latency.ttft_s.p99);
  EXPECT_GT(result.pools[0].mean_replicas, alone.pools[0].mean_replicas);
}

// The second replica is wanted at the first look and takes its first request two seconds later.
TEST(Cluster, AReplicaWorksAfterItsStartUpTime) {
  const std::vector<Request> list = drawn_requests(200, 30);
  Cluster cluster = cluster_of({pool("a", 1)});
  cluster.spec.autoscale = scaling();
  Heard heard;
  run(cluster, list, &heard);
  for (const StepRecord& step : heard.steps) {
    if (step.replica > 0) {
      EXPECT_GE(step.start, Nanoseconds(3'000'000'000));
    }
  }
}

TEST(Cluster, ScalesByBusyTimeToo) {
  const std::vector<Request> list = drawn_requests(600, 10);
  Cluster cluster = cluster_of({pool("a", 1)});
  cluster.spec.autoscale = scaling();
  cluster.spec.autoscale->by = ScaleBy::busy;
  cluster.spec.autoscale->target = 0.5;
  Heard heard;
  const ServiceResult result = run(cluster, list, &heard);
  expect_laws(result, heard, list);
  EXPECT_GE(result.pools[0].most_replicas, 2);
}

TEST(Cluster, IsTheSameAloneAndBesideOthers) {
  const std::vector<Request> list = drawn_requests(300, 20);
  Cluster cluster = cluster_of({pool("a", 2), pool("b", 2)});
  cluster.spec.router.routing = Routing::prefix_aware;
  cluster.spec.autoscale = scaling();
  const ServiceResult alone = run(cluster, list);

  std::vector<ServiceResult> beside(4);
  parallel_each(beside.size(), [&](std::size_t i) { beside[i] = run(cluster, list); });

  for (const ServiceResult& other : beside) {
    EXPECT_EQ(other.latency.e2e_s.mean, alone.latency.e2e_s.mean);
    EXPECT_EQ(other.latency.itl_s.p99, alone.latency.itl_s.p99);
    EXPECT_EQ(other.energy_j, alone.energy_j);
    EXPECT_TRUE(other.request_time.running_ns == alone.request_time.running_ns);
    EXPECT_EQ(other.gantt.size(), alone.gantt.size());
  }
}

TEST(Cluster, AfterAWarmUpOnlyWhatArrivesIsMeasured) {
  const std::vector<Request> list = drawn_requests(400, 20);
  Cluster cluster = cluster_of({pool("a", 2)});
  const ServiceResult whole = run(cluster, list);
  cluster.warm_up = list[100].arrival;
  Heard heard;
  const ServiceResult result = run(cluster, list, &heard);

  EXPECT_EQ(result.counts.warm_up, 100);
  EXPECT_EQ(result.counts.requests, 300);
  EXPECT_EQ(result.counts.completed, 300);
  EXPECT_NEAR(result.duration_s, whole.duration_s - to_seconds(cluster.warm_up).count(), 1e-9);
  EXPECT_EQ(result.series.size(), whole.series.size());
  EXPECT_LT(result.energy_j, whole.energy_j);
  double mean = 0;
  for (const RequestRecord& record : heard.records) {
    if (record.id >= 100) mean += to_seconds(record.last_token - record.arrival).count() / 300;
  }
  EXPECT_NEAR(result.latency.e2e_s.mean, mean, 1e-9);
  // Busy and idle time fill the window, but for the steps that were in flight when it began.
  EXPECT_NEAR(result.pools[0].busy_s + result.pools[0].idle_s, 2 * result.duration_s, 0.2);
}

TEST(Cluster, RefusesAWarmUpThatOutlastsTheRun) {
  Cluster cluster = cluster_of({pool("a", 1)});
  cluster.warm_up = Nanoseconds(1'000'000'000'000);
  EXPECT_THROW(run(cluster, drawn_requests(10, 20)), InputError);
}

TEST(Cluster, RefusesWhatCannotWork) {
  const auto refusal = [](const Cluster& cluster) -> std::string {
    try {
      run(cluster, {});
    } catch (const InputError& error) {
      return error.diagnostics().front().message;
    }
    return "";
  };
  EXPECT_EQ(refusal(cluster_of({})), "expected a pool that reads prompts");
  EXPECT_EQ(refusal(cluster_of({pool("p", 1, Role::prefill)})),
            "a pool that only reads prompts needs one that decodes");
  EXPECT_EQ(refusal(cluster_of({pool("p", 1, Role::prefill), pool("d", 1, Role::decode)})),
            "pools that only read prompts need `transfer`, the link to those that decode");
  EXPECT_EQ(refusal(cluster_of({pool("a", 0)})), "pool a: expected at least one replica");
}

TEST(Cluster, OfNoRequestsDoesNothing) {
  const ServiceResult result = run(cluster_of({pool("a", 1)}), {});
  EXPECT_EQ(result.counts.requests, 0);
  EXPECT_EQ(result.duration_s, 0);
  EXPECT_EQ(result.energy_j, 0);
  EXPECT_TRUE(std::isnan(result.latency.ttft_s.mean));
}

}  // namespace
}  // namespace presil::serving
