#include "serving/cluster/router.h"

#include <algorithm>
#include <map>
#include <vector>

#include <gtest/gtest.h>

namespace presil::serving {
namespace {

struct Replicas {
  std::vector<ReplicaLoad> loads;
  std::vector<double> weights;
  std::vector<int> numbers;

  explicit Replicas(std::vector<double> of_weight) : weights(std::move(of_weight)) {
    loads.resize(weights.size());
    for (std::size_t i = 0; i < weights.size(); ++i) numbers.push_back(static_cast<int>(i));
  }
  void offer_to(Router& router) const {
    std::vector<Target> targets;
    for (const int i : numbers) {
      const auto k = static_cast<std::size_t>(i);
      targets.push_back({i, weights[k], &loads[k], nullptr});
    }
    router.set_targets(std::move(targets));
  }
};

Request request(std::int64_t id, std::int64_t session = -1) {
  Request one;
  one.id = id;
  one.session = session;
  return one;
}

TEST(Router, RoundRobinGoesInTurnAndByWeight) {
  const Replicas alike({1, 1, 1});
  Router router({.routing = Routing::round_robin}, 1);
  alike.offer_to(router);
  for (int i = 0; i < 9; ++i) EXPECT_EQ(router.choose(request(i)), i % 3);

  const Replicas uneven({3, 1});
  uneven.offer_to(router);
  std::map<int, int> chosen;
  for (int i = 0; i < 400; ++i) ++chosen[router.choose(request(i))];
  EXPECT_EQ(chosen[0], 300);
}

TEST(Router, LeastLoadedWeighsTokensByTheReplicasShare) {
  Replicas replicas({1, 1, 4});
  replicas.loads[0].outstanding_tokens = 100;
  replicas.loads[1].outstanding_tokens = 99;
  replicas.loads[2].outstanding_tokens = 400;
  Router router({.routing = Routing::least_loaded}, 1);
  replicas.offer_to(router);

  EXPECT_EQ(router.choose(request(0)), 1);
  replicas.loads[2].outstanding_tokens = 395;  // 98.75 to a unit of weight
  EXPECT_EQ(router.choose(request(1)), 2);
  for (ReplicaLoad& load : replicas.loads) load = {};
  EXPECT_EQ(router.choose(request(2)), 0);  // of equals the first
}

TEST(Router, ASessionStaysWhereItIs) {
  const Replicas replicas({1, 1, 1, 1});
  Router router({.routing = Routing::session}, 1);
  replicas.offer_to(router);

  std::map<int, int> sessions;
  for (int session = 0; session < 4000; ++session) {
    const int first = router.choose(request(0, session));
    EXPECT_EQ(router.choose(request(1, session)), first);
    ++sessions[first];
  }
  for (int r = 0; r < 4; ++r) EXPECT_NEAR(sessions[r], 1000, 400) << r;  // 64 points each
}

TEST(Router, OnlySessionsOfAReplicaThatLeftMove) {
  Replicas replicas({1, 1, 1, 1});
  Router router({.routing = Routing::session}, 1);
  replicas.offer_to(router);
  std::vector<int> before;
  for (int session = 0; session < 1000; ++session) {
    before.push_back(router.choose(request(0, session)));
  }

  replicas.numbers = {0, 1, 3};
  replicas.offer_to(router);

  for (int session = 0; session < 1000; ++session) {
    const int was = before[static_cast<std::size_t>(session)];
    const int now = router.choose(request(0, session));
    if (was == 2) {
      EXPECT_NE(now, 2);
    } else {
      EXPECT_EQ(now, was);
    }
  }
}

TEST(Router, WithoutASessionTheLeastLoadedIsChosen) {
  Replicas replicas({1, 1});
  replicas.loads[0].outstanding_tokens = 1;
  Router router({.routing = Routing::session}, 1);
  replicas.offer_to(router);
  EXPECT_EQ(router.choose(request(0)), 1);
}

TEST(Router, RandomIsByWeightAndByTheRequestAlone) {
  const Replicas replicas({1, 3});
  Router router({.routing = Routing::random}, 1);
  replicas.offer_to(router);
  std::vector<int> forward, backward;
  for (int i = 0; i < 10'000; ++i) forward.push_back(router.choose(request(i)));
  for (int i = 9999; i >= 0; --i) backward.push_back(router.choose(request(i)));

  EXPECT_EQ(forward, std::vector<int>(backward.rbegin(), backward.rend()));
  const auto heavier = static_cast<double>(std::count(forward.begin(), forward.end(), 1));
  EXPECT_NEAR(heavier, 7500, 4 * 43.3);
}

}  // namespace
}  // namespace presil::serving
