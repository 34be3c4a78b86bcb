// Which replica gets a request.
//
// round_robin   each in turn, in proportion to weight (smooth weighted round robin)
// least_loaded  the fewest outstanding tokens / weight; among equals the first
// prefix_aware  the longest prefix in its cache, among equals the least loaded; but the least
//               loaded one while the replicas are out of balance (RouterSpec)
// session       a hash ring of 64 points to a replica and unit of weight: when replicas come and
//               go only their own share of the sessions moves; without a session: least loaded
// random        by the request's number, in proportion to weight
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "serving/cluster/spec.h"
#include "serving/engine/replica.h"

namespace presil::serving {

/// A replica that takes requests. What the pointers show is kept up to date by their owner.
struct Target {
  int replica = 0;
  double weight = 1;  // how much it shall get, relative to others; above zero
  const ReplicaLoad* load = nullptr;
  const Replica* engine = nullptr;  // asked for its prefix cache, by prefix_aware only
};

class Router {
 public:
  Router(const RouterSpec& spec, std::uint64_t seed) : spec_(spec), seed_(seed) {}

  /// The replicas that may be chosen from now on, in ascending order.
  void set_targets(std::vector<Target> targets);
  bool has_targets() const { return !targets_.empty(); }

  /// The replica for `request`. Requires has_targets().
  int choose(const Request& request);

 private:
  const Target& next_in_turn();
  const Target& least_loaded() const;
  const Target& with_prefix(const Request& request) const;
  const Target& on_ring(std::int64_t session) const;
  const Target& drawn(std::int64_t id) const;
  bool out_of_balance() const;

  RouterSpec spec_;
  std::uint64_t seed_;
  std::vector<Target> targets_;
  std::vector<double> turn_;  // of each target: what round robin still owes it
  std::vector<std::pair<std::uint64_t, std::size_t>> ring_;  // (point, index), ascending
};

}  // namespace presil::serving
