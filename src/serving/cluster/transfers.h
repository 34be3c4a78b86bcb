// KV caches on their way from prefill replicas to decode replicas.
//
// Each prefill replica has one link (its NIC). Its transfers go one after the other, in the order
// in which prompts were read; the link's latency comes on top and overlaps with the next transfer.
// Links do not disturb each other and the receiving side is never the narrow one.
#pragma once

#include <cstdint>
#include <queue>
#include <vector>

#include "serving/cluster/spec.h"
#include "serving/request.h"

namespace presil::serving {

struct Transfer {
  Request request;
  RequestRecord so_far;
  int to = 0;  // decode replica
  Nanoseconds arrives;
  std::int64_t number = 0;  // counted from 0 in order of their beginning
};

class Transfers {
 public:
  Transfers(const TransferSpec& spec, int replicas) : spec_(spec), free_(replicas) {}

  /// How long a transfer waited for its link, and when all of it is there.
  struct Timing {
    Nanoseconds waited;
    Nanoseconds arrives;
  };
  /// Sends `bytes` from the replica `from` at `now`. Throws LimitReached when its link is decades
  /// behind.
  Timing send(Request request, const RequestRecord& so_far, double bytes, int from, int to,
              Nanoseconds now);

  std::int64_t under_way() const { return static_cast<std::int64_t>(under_way_.size()); }
  Nanoseconds next_arrival() const {
    return under_way_.empty() ? kLongestService : under_way_.top().arrives;
  }
  /// Takes out the one that arrives first; among equals the one that was sent first.
  Transfer take();

 private:
  struct Later {
    bool operator()(const Transfer& a, const Transfer& b) const {
      return a.arrives != b.arrives ? a.arrives > b.arrives : a.number > b.number;
    }
  };
  TransferSpec spec_;
  std::vector<Nanoseconds> free_;  // when the link of a replica has sent all it was given
  std::priority_queue<Transfer, std::vector<Transfer>, Later> under_way_;
  std::int64_t sent_ = 0;
};

}  // namespace presil::serving
