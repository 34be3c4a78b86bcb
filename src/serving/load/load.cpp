#include "serving/load/load.h"

#include <limits>

#include <fmt/format.h>

#include "base/error.h"
#include "serving/load/shapes.h"
#include "serving/load/sources.h"
#include "serving/load/trace.h"

namespace presil::serving {
namespace {

constexpr std::int64_t kNoLimit = std::numeric_limits<std::int64_t>::max();

/// The mean rate of the requests that a round replays.
PerSecond own_rate(const LoadSpec& spec, const TraceFile& file) {
  Trace trace(file.path, file.name);
  if (!trace.has_arrivals()) {
    throw InputError(
        fmt::format("{}: has no arrival times; give load.rate or load.closed_loop", file.name));
  }
  const PerSecond rate = summarize(std::move(trace), spec.requests.value_or(kNoLimit)).rate();
  if (rate.count() > 0) return rate;
  throw InputError(fmt::format(
      "{}: all requests come at once, at no rate; give load.arrivals and load.rate", file.name));
}

}  // namespace

LoadSpec with_rate(LoadSpec spec, PerSecond rate) {
  if (spec.closed_loop) throw InputError("load: the rate of a closed loop is the service's");
  spec.rate = rate;
  return spec;
}

PerSecond mean_rate(const LoadSpec& spec, const std::filesystem::path& home) {
  if (spec.closed_loop) throw InputError("load: the rate of a closed loop is the service's");
  return spec.rate ? *spec.rate : own_rate(spec, find_trace(spec.trace, home));
}

std::unique_ptr<RequestSource> open_load(const LoadSpec& spec, const std::filesystem::path& home,
                                         std::uint64_t seed) {
  std::unique_ptr<Shapes> shapes;
  bool keeps_times = false;  // of its trace
  double stretch = 1;
  if (spec.lengths) {
    shapes = std::make_unique<DrawnShapes>(spec, home, seed);
  } else {
    const TraceFile file = find_trace(spec.trace, home);
    auto trace = std::make_unique<TraceShapes>(file, spec.repeat);
    keeps_times = trace->has_arrivals() && !spec.arrivals && !spec.closed_loop;
    if (keeps_times && spec.rate) stretch = own_rate(spec, file).count() / spec.rate->count();
    shapes = std::move(trace);
  }
  const Limits limits{spec.requests.value_or(kNoLimit),
                      spec.duration ? to_nanoseconds(*spec.duration) : kLongestService};
  std::optional<ArrivalProcess> process;
  if (!keeps_times && !spec.closed_loop) {
    const PerSecond requests = mean_rate(spec, home);
    const PerSecond starts(requests.count() / static_cast<double>(spec.sessions.turns));
    process.emplace(spec.arrivals.value_or(Arrivals{}), starts, seed);
  }
  if (spec.closed_loop || spec.sessions.turns > 1) {
    return std::make_unique<ConversationSource>(std::move(shapes), process,
                                                spec.closed_loop.value_or(ClosedLoop{}),
                                                spec.sessions, seed, limits);
  }
  return std::make_unique<OpenSource>(std::move(shapes), process, stretch, limits);
}

}  // namespace presil::serving
