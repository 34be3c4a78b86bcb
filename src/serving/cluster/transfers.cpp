#include "serving/cluster/transfers.h"

#include <algorithm>

#include "base/error.h"

namespace presil::serving {

Transfers::Timing Transfers::send(Request request, const RequestRecord& so_far, double bytes,
                                  int from, int to, Nanoseconds now) {
  Nanoseconds& free = free_[static_cast<std::size_t>(from)];
  const Nanoseconds start = std::max(now, free);
  free = start + to_nanoseconds(Seconds(bytes / spec_.bandwidth.count()));
  if (free > kLongestService / 2) {
    throw LimitReached("a link between prefill and decode replicas is decades behind");
  }
  const Nanoseconds arrives = free + spec_.latency;
  under_way_.push({std::move(request), so_far, to, arrives, sent_++});
  return {start - now, arrives};
}

Transfer Transfers::take() {
  Transfer first = under_way_.top();
  under_way_.pop();
  return first;
}

}  // namespace presil::serving
