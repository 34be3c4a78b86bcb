// Loads that depend on what serves them, before a service.
#include <algorithm>
#include <cmath>
#include <map>

#include <gtest/gtest.h>

#include "serving/cluster/cluster.h"
#include "serving/engine/testing/one_replica.h"
#include "serving/load/load.h"

namespace presil::serving {
namespace {

/// Hands on a load and keeps what it asked.
class Kept final : public RequestSource {
 public:
  explicit Kept(const LoadSpec& spec) : load_(open_load(spec, PRESIL_SOURCE_DIR, 3)) {}
  std::optional<Request> next() override {
    auto request = load_->next();
    if (request) requests.push_back(*request);
    return request;
  }
  void ended(const Request& request, Nanoseconds at) override { load_->ended(request, at); }
  Nanoseconds next_arrival() const override { return load_->next_arrival(); }

  std::vector<Request> requests;

 private:
  std::unique_ptr<RequestSource> load_;
};

LoadSpec drawn(std::int64_t requests) {
  LoadSpec spec;
  spec.lengths = {lognormal_by_quantiles(200, 1000), lognormal_by_quantiles(50, 200)};
  spec.requests = requests;
  return spec;
}

const testing::AffineCosts kCosts(5'000'000, 20'000, 10'000, 10);  // some milliseconds a step

Cluster one_replica() {
  Pool pool;
  pool.engine.num_blocks = 100'000;
  pool.costs = &kCosts;
  Cluster cluster;
  cluster.pools = {pool};
  return cluster;
}

TEST(ServedLoad, OfUsersKeepsTheInteractiveLaw) {
  LoadSpec spec = drawn(4000);
  spec.closed_loop = ClosedLoop{.users = 12, .think_time = Seconds(2)};
  Kept load(spec);
  testing::Heard heard;
  simulate(one_replica(), load, &heard);
  ASSERT_EQ(heard.records.size(), 4000U);

  // While requests last, each user is served or thinks: users x time = the sum of both.
  double served = 0;
  Nanoseconds end;
  for (const RequestRecord& r : heard.records) {
    served += to_seconds(r.last_token - r.arrival).count();
    end = std::max(end, r.arrival);
  }
  const double mean_thought = (12 * to_seconds(end).count() - served) / (4000 - 12);
  EXPECT_NEAR(mean_thought, 2, 5 * 2 / std::sqrt(4000));
}

TEST(ServedLoad, OfConversationsFindsItsLastPromptInTheCache) {
  LoadSpec spec = drawn(400);
  spec.rate = PerSecond(2);
  spec.sessions = {.turns = 4, .think_time = Seconds(5)};
  Kept load(spec);
  testing::Heard heard;
  simulate(one_replica(), load, &heard);

  std::map<std::int64_t, std::int64_t> cached;
  for (const RequestRecord& r : heard.records) cached[r.id] = r.cached_tokens;
  ASSERT_EQ(cached.size(), 400U);
  std::map<std::int64_t, std::int64_t> last_prompt;  // of a conversation
  for (const Request& r : load.requests) {
    EXPECT_EQ(cached[r.id], last_prompt[r.session] / 16 * 16);  // whole blocks of the engine
    last_prompt[r.session] = r.prompt_tokens;
  }
}

}  // namespace
}  // namespace presil::serving
