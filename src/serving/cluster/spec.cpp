#include "serving/cluster/spec.h"

#include <array>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "base/draws.h"
#include "serving/cluster/streams.h"

namespace presil::serving {
namespace {

constexpr Choice<Routing> kRoutings[] = {{"round_robin", Routing::round_robin},
                                         {"least_loaded", Routing::least_loaded},
                                         {"prefix_aware", Routing::prefix_aware},
                                         {"session", Routing::session},
                                         {"random", Routing::random}};
constexpr Choice<ScaleBy> kScales[] = {{"outstanding_tokens", ScaleBy::outstanding_tokens},
                                       {"requests", ScaleBy::requests},
                                       {"busy", ScaleBy::busy}};

// A year: longer times are slips of a unit, and sums of a few of these stay within 64 bits.
constexpr Nanoseconds kMostTime(31'536'000'000'000'000);
constexpr Nanoseconds kLeastInterval(10'000'000);
constexpr double kMostTokens = 1e12;
constexpr double kMostReplicas = 10'000;

Nanoseconds time_or(Fields& fields, std::string_view name, std::string_view doc,
                    Nanoseconds fallback) {
  const auto time = fields.quantity_or<Nanoseconds>(name, doc, fallback);
  fields.require(time <= kMostTime, name, "expected at most a year");
  return std::min(time, kMostTime);
}

RouterSpec read_router(Fields& fields) {
  RouterSpec router;
  router.routing = fields.choice_or<Routing>("router", "which replica gets a request", kRoutings,
                                             router.routing);
  struct Balance {
    std::int64_t requests;
    double ratio;
  };
  const auto balance = fields.maybe_map(
      "balance", "when prefix_aware gives way to least_loaded", [&](Fields& inner) {
        return Balance{inner.integer_or("requests",
                                        "the most and the fewest requests of a replica differ by "
                                        "more than this",
                                        router.balance_requests, {0, 1e9}),
                       inner.number_or("ratio", "and by more than this factor",
                                       router.balance_ratio, {1, 1e9})};
      });
  if (balance) {
    router.balance_requests = balance->requests;
    router.balance_ratio = balance->ratio;
  }
  return router;
}

AdmissionSpec read_admission(Fields& fields) {
  AdmissionSpec admission;
  constexpr double kNone = -1;
  const double queue =
      fields.number_or("max_queue", "no request is admitted at so many waiting ones to a replica",
                       kNone, {1e-6, 1e9});
  if (queue != kNone) admission.max_queue = queue;
  admission.max_wait =
      fields.maybe<Nanoseconds>("max_wait", "the longest wait, as estimated, to be admitted to");
  admission.bucket =
      fields.maybe_map("token_bucket", "a limit on prompt tokens a second", [](Fields& inner) {
        return TokenBucketSpec{inner.quantity<PerSecond>("rate", "prompt tokens a second"),
                               inner.integer("burst", "prompt tokens at once", {1, kMostTokens})};
      });
  admission.hold = time_or(
      fields, "hold", "how long the gate holds a request before it turns it away", Nanoseconds(0));
  return admission;
}

AutoscaleSpec read_autoscale(Fields& fields) {
  AutoscaleSpec scale;
  scale.by = fields.choice_or<ScaleBy>("by", "what is measured of a replica", kScales, scale.by);
  scale.target = fields.number("target", "what it shall be, on average", {1e-6, kMostTokens});
  scale.min_replicas = static_cast<int>(
      fields.integer_or("min", "replicas of a pool, at least", 1, {1, kMostReplicas}));
  scale.max_replicas =
      static_cast<int>(fields.integer("max", "replicas of a pool, at most", {1, kMostReplicas}));
  scale.interval = time_or(fields, "interval", "time between looks", scale.interval);
  scale.start_up = time_or(fields, "start_up", "from power to the first request", scale.start_up);
  scale.cool_down = time_or(fields, "cool_down", "no replica is let go so soon after any change",
                            scale.cool_down);
  scale.tolerance = fields.number_or("tolerance", "no change while measured / target is so near 1",
                                     scale.tolerance, {0, 10});
  fields.require(scale.max_replicas >= scale.min_replicas, "max", "expected at least `min`");
  fields.require(scale.by != ScaleBy::busy || scale.target <= 1, "target",
                 "expected a share of at most 1");
  fields.require(scale.interval >= kLeastInterval, "interval", "expected at least 10 ms");
  return scale;
}

TransferSpec read_transfer(Fields& fields) {
  TransferSpec transfer;
  transfer.bandwidth =
      fields.quantity<BytesPerSecond>("bandwidth", "of the link out of a prefill replica");
  transfer.latency = time_or(fields, "latency", "of the same link", transfer.latency);
  return transfer;
}

ServiceClass read_class(Fields& fields) {
  ServiceClass one;
  one.name = fields.text("name", "name of the class");
  one.share = fields.number_or("share", "share of all requests", 0, {0, 1});
  const std::int64_t up_to = fields.integer_or(
      "prompt_tokens_up_to", "the longest prompt of the class", 0, {1, kMostTokens});
  if (up_to > 0) one.most_prompt_tokens = up_to;
  one.priority = static_cast<int>(
      fields.integer_or("priority", "at the gate: larger goes first", 0, {-1000, 1000}));
  one.slo = read_slo(fields, "slo");
  fields.require(one.share == 0 || !one.most_prompt_tokens, "share",
                 "expected a share or prompt_tokens_up_to, found both");
  return one;
}

// What is wrong with the classes together; "" when nothing is.
std::string complaint_about(const std::vector<ServiceClass>& classes) {
  double shares = 0;
  bool by_length = false;
  std::set<std::string> names;
  for (const ServiceClass& one : classes) {
    if (!names.insert(one.name).second) return fmt::format("two are called '{}'", one.name);
    shares += one.share;
    by_length |= one.most_prompt_tokens.has_value();
  }
  if (!by_length) {
    if (std::abs(shares - 1) <= 1e-9) return "";
    return fmt::format("expected shares that sum to 1, found {}", shares);
  }
  if (shares > 0) return "expected shares or prompt_tokens_up_to, found both";
  if (classes.back().most_prompt_tokens) {
    return "expected a last class without prompt_tokens_up_to, for all longer prompts";
  }
  std::int64_t before = 0;
  for (std::size_t i = 0; i + 1 < classes.size(); ++i) {
    const std::int64_t here = classes[i].most_prompt_tokens.value_or(0);
    if (here <= before) return "expected prompt_tokens_up_to of all but the last, ascending";
    before = here;
  }
  return "";
}

}  // namespace

std::string_view to_string(Routing routing) {
  for (const Choice<Routing>& choice : kRoutings) {
    if (choice.value == routing) return choice.name;
  }
  return "";
}

ClusterSpec read_cluster(Fields& fields) {
  ClusterSpec spec;
  spec.router = read_router(fields);
  spec.admission = fields.maybe_map("admission", "who is turned away", read_admission);
  spec.autoscale = fields.maybe_map("autoscale", "how many replicas there are", read_autoscale);
  spec.transfer =
      fields.maybe_map("transfer", "the link from prefill to decode replicas", read_transfer);
  return spec;
}

std::vector<ServiceClass> read_classes(Fields& fields) {
  constexpr std::size_t kMostClasses = 64;
  auto classes = fields.maps_or_none("classes", "requests with promises of their own", read_class);
  if (classes.empty() || fields.describing()) return classes;
  fields.require(classes.size() <= kMostClasses, "classes", "expected at most 64 classes");
  const std::string complaint = complaint_about(classes);
  fields.require(complaint.empty(), "classes", complaint);
  return classes;
}

int class_of(const std::vector<ServiceClass>& classes, const Request& request, std::uint64_t seed) {
  if (classes.empty()) return 0;
  const int last = static_cast<int>(classes.size()) - 1;
  const double drawn =
      Draws(seed, streams::kClass, static_cast<std::uint64_t>(request.id)).uniform();
  double below = 0;
  for (int i = 0; i < last; ++i) {
    const ServiceClass& one = classes[static_cast<std::size_t>(i)];
    if (one.most_prompt_tokens && request.prompt_tokens <= *one.most_prompt_tokens) return i;
    below += one.share;
    if (drawn < below) return i;
  }
  return last;
}

}  // namespace presil::serving
