// The gate of a service: who gets in, who waits in front of it, who is turned away.
//
// Every rule that the scenario gives must allow a request. One that is not admitted is held at the
// gate for a while, if the scenario says so; those of a higher priority are let in first, in order
// of arrival within a priority. A request held for too long is turned away.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>

#include "serving/cluster/spec.h"
#include "serving/request.h"

namespace presil::serving {

/// What admission control sees of the replicas that take requests.
struct ServiceLoad {
  int replicas = 0;
  std::int64_t waiting = 0;  // requests in them
  std::int64_t outstanding_tokens = 0;
  double tokens_per_s = 0;  // that they work off together, as measured; 0: not known yet
};

/// Fills with `rate` tokens a second up to `burst`; full at time 0. A request takes its prompt's
/// tokens, one that is longer than the bucket all of them.
class TokenBucket {
 public:
  explicit TokenBucket(const TokenBucketSpec& spec);
  bool has(std::int64_t tokens, Nanoseconds now);
  void take(std::int64_t tokens, Nanoseconds now);
  /// The first time at which has(tokens) if nobody takes any until then.
  Nanoseconds ready(std::int64_t tokens, Nanoseconds now);

 private:
  void fill(Nanoseconds now);
  double wanted(std::int64_t tokens) const;

  double rate_;   // tokens a nanosecond
  double burst_;  // tokens
  double level_;
  Nanoseconds filled_{0};
};

class Gate {
 public:
  explicit Gate(const AdmissionSpec& spec);

  /// Whether `request` may enter now; takes its tokens from the bucket when it does. Those in
  /// front of it at the gate go first.
  bool admit(const Request& request, int priority, Nanoseconds now, const ServiceLoad& load);

  /// Holds a request that was not admitted, until its time at the gate has passed. Returns whether
  /// it does: not when nobody is held.
  bool hold(const Request& request, int priority, Nanoseconds now);
  /// The next request that is held and may enter now, taken out; its tokens are taken.
  std::optional<Request> let_in(Nanoseconds now, const ServiceLoad& load);
  /// The next request that has been held for too long, taken out.
  std::optional<Request> give_up(Nanoseconds now);

  std::int64_t held() const { return held_; }
  /// When a held request may enter or has to be given up by the passing of time alone;
  /// kLongestService when nobody is held.
  Nanoseconds next_event(Nanoseconds now);

 private:
  struct Held {
    Request request;
    Nanoseconds until;
  };
  using Lines = std::map<int, std::deque<Held>, std::greater<>>;  // by priority, highest first
  bool allows(const ServiceLoad& load) const;
  bool enter(const Request& request, Nanoseconds now, const ServiceLoad& load);
  Request take_first(Lines::iterator line);

  AdmissionSpec spec_;
  std::optional<TokenBucket> bucket_;
  Lines lines_;  // none of them empty
  std::int64_t held_ = 0;
};

}  // namespace presil::serving
