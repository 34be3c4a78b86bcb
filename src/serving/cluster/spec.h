// How the replicas of a service work together: who gets a request, who is turned away, how many
// replicas there are, and how a KV cache travels. Read from a service of a scenario.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/fields.h"
#include "base/units.h"
#include "serving/metrics/slo.h"
#include "serving/request.h"

namespace presil::serving {

enum class Routing { round_robin, least_loaded, prefix_aware, session, random };
std::string_view to_string(Routing routing);

struct RouterSpec {
  Routing routing = Routing::least_loaded;
  // prefix_aware gives way to least_loaded while the replicas' numbers of requests differ by more
  // than both of these (the rule, and the defaults as recalled, of SGLang's router).
  std::int64_t balance_requests = 64;
  double balance_ratio = 1.5;
};

/// Requests pass a bucket that fills with `rate` prompt tokens a second up to `burst`.
struct TokenBucketSpec {
  PerSecond rate;
  std::int64_t burst = 0;
};

/// A request is admitted when every rule that is given allows it.
struct AdmissionSpec {
  std::optional<double> max_queue{};      // waiting requests to a replica, on average
  std::optional<Nanoseconds> max_wait{};  // as estimated from the tokens that are outstanding
  std::optional<TokenBucketSpec> bucket{};
  Nanoseconds hold{0};  // how long a request is held at the gate before it is turned away
};

enum class ScaleBy {
  outstanding_tokens,  // prompt tokens not read yet and sequences that decode, of a replica
  requests,            // waiting and running, of a replica
  busy                 // share of its time in steps
};

/// Every pool is scaled by itself: wanted = ceil(awake x measured / target), within bounds.
struct AutoscaleSpec {
  ScaleBy by = ScaleBy::outstanding_tokens;
  double target = 0;  // of a replica, as a mean since the last look
  int min_replicas = 1;
  int max_replicas = 1;
  Nanoseconds interval{10'000'000'000};   // between looks
  Nanoseconds start_up{60'000'000'000};   // from power to the first request
  Nanoseconds cool_down{60'000'000'000};  // no scaling down so soon after any change
  double tolerance = 0.1;                 // no change while measured / target is so near 1
};

/// The link out of a prefill replica.
struct TransferSpec {
  BytesPerSecond bandwidth{50e9};
  Nanoseconds latency{10'000};
};

struct ClusterSpec {
  RouterSpec router;
  std::optional<AdmissionSpec> admission;
  std::optional<AutoscaleSpec> autoscale;
  std::optional<TransferSpec> transfer;  // required where prefill and decode are kept apart
};

/// Reads router, balance, admission, autoscale and transfer.
ClusterSpec read_cluster(Fields& fields);

/// Requests with a promise of their own.
struct ServiceClass {
  std::string name;
  double share = 0;                                  // of the requests, drawn by their number
  std::optional<std::int64_t> most_prompt_tokens{};  // or: all requests with prompts up to this
  int priority = 0;                                  // at the gate; larger goes first
  Slo slo{};
};

/// Reads `classes`: either every one has a share and they sum to 1, or each but the last has
/// prompt_tokens_up_to, ascending, and the last takes the rest.
std::vector<ServiceClass> read_classes(Fields& fields);

/// The class of a request, an index into `classes`; 0 when there are none.
int class_of(const std::vector<ServiceClass>& classes, const Request& request, std::uint64_t seed);

}  // namespace presil::serving
