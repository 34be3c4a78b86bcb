#include "serving/cluster/router.h"

#include <algorithm>
#include <cmath>

#include "base/draws.h"
#include "base/error.h"
#include "serving/cluster/streams.h"

namespace presil::serving {
namespace {

constexpr double kPointsOfWeight = 64;
constexpr double kMostPoints = 65'536;  // of a replica

double pressure(const Target& target) {
  return static_cast<double>(target.load->outstanding_tokens) / target.weight;
}

std::int64_t requests(const Target& target) {
  return target.load->waiting + target.load->running;
}

}  // namespace

void Router::set_targets(std::vector<Target> targets) {
  targets_ = std::move(targets);
  turn_.assign(targets_.size(), 0);
  ring_.clear();
  if (spec_.routing != Routing::session) return;
  for (std::size_t i = 0; i < targets_.size(); ++i) {
    CHECK(targets_[i].weight > 0, "a replica that takes requests has a weight");
    const double points =
        std::clamp(std::round(targets_[i].weight * kPointsOfWeight), 1.0, kMostPoints);
    Draws draws(seed_, streams::kRing, static_cast<std::uint64_t>(targets_[i].replica));
    for (int k = 0; k < static_cast<int>(points); ++k) ring_.emplace_back(draws.bits(), i);
  }
  std::sort(ring_.begin(), ring_.end());
}

int Router::choose(const Request& request) {
  CHECK(has_targets(), "a router chooses among at least one replica");
  switch (spec_.routing) {
    case Routing::round_robin:
      return next_in_turn().replica;
    case Routing::least_loaded:
      return least_loaded().replica;
    case Routing::prefix_aware:
      return with_prefix(request).replica;
    case Routing::session:
      return (request.session < 0 ? least_loaded() : on_ring(request.session)).replica;
    case Routing::random:
      return drawn(request.id).replica;
  }
  return targets_.front().replica;
}

const Target& Router::next_in_turn() {
  double total = 0;
  std::size_t best = 0;
  for (std::size_t i = 0; i < targets_.size(); ++i) {
    turn_[i] += targets_[i].weight;
    total += targets_[i].weight;
    if (turn_[i] > turn_[best]) best = i;
  }
  turn_[best] -= total;
  return targets_[best];
}

const Target& Router::least_loaded() const {
  return *std::min_element(targets_.begin(), targets_.end(), [](const Target& a, const Target& b) {
    return pressure(a) < pressure(b);
  });
}

bool Router::out_of_balance() const {
  const auto [fewest, most] = std::minmax_element(
      targets_.begin(), targets_.end(),
      [](const Target& a, const Target& b) { return requests(a) < requests(b); });
  return requests(*most) - requests(*fewest) > spec_.balance_requests &&
         static_cast<double>(requests(*most)) >
             spec_.balance_ratio * static_cast<double>(requests(*fewest));
}

const Target& Router::with_prefix(const Request& request) const {
  if (request.prefix.empty() || out_of_balance()) return least_loaded();
  const Target* best = nullptr;
  std::int64_t most_cached = 0;
  for (const Target& target : targets_) {
    const std::int64_t cached = target.engine->cached_tokens(request);
    if (best != nullptr && cached < most_cached) continue;
    if (best != nullptr && cached == most_cached && pressure(target) >= pressure(*best)) continue;
    best = &target;
    most_cached = cached;
  }
  return *best;
}

const Target& Router::on_ring(std::int64_t session) const {
  const std::uint64_t key =
      Draws(seed_, streams::kSession, static_cast<std::uint64_t>(session)).bits();
  auto point = std::lower_bound(ring_.begin(), ring_.end(), std::pair(key, std::size_t{0}));
  if (point == ring_.end()) point = ring_.begin();
  return targets_[point->second];
}

const Target& Router::drawn(std::int64_t id) const {
  double total = 0;
  for (const Target& target : targets_) total += target.weight;
  double left = Draws(seed_, streams::kRouter, static_cast<std::uint64_t>(id)).uniform() * total;
  for (const Target& target : targets_) {
    left -= target.weight;
    if (left < 0) return target;
  }
  return targets_.back();
}

}  // namespace presil::serving
