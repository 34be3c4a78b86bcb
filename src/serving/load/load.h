// A load: which requests come, and when.
//
// What is asked comes from a trace, or is drawn (`lengths`). When it is asked comes from the trace,
// from a random process (`arrivals`), or from users who wait for their answers (`closed_loop`). Any
// of the first goes with any of the second, but that drawn requests have no times of their own.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "base/fields.h"
#include "base/units.h"
#include "serving/load/arrivals.h"
#include "serving/load/lengths.h"
#include "serving/source.h"

namespace presil::serving {

/// Prompts begin with one of `groups` texts of `tokens` tokens, before what is drawn for them.
struct SharedPrefix {
  std::int64_t tokens = 0;
  std::int64_t groups = 1;
};

/// Conversations: the prompt of each turn is all that was said before, and a new question. A turn
/// comes when the one before has ended and its user has thought (exponential with this mean).
struct Sessions {
  std::int64_t turns = 1;
  Seconds think_time;
};

/// So many users, each with one request at a time and this mean time to think in between
/// (exponential). All come at the start.
struct ClosedLoop {
  std::int64_t users = 1;
  Seconds think_time;
};

struct RequestLengths {
  LengthSpec prompt;
  LengthSpec output;
};

struct LoadSpec {
  std::string trace;                      // a name in data/traces or a file; "": drawn
  std::int64_t repeat = 1;                // rounds of the trace
  std::optional<RequestLengths> lengths;  // exactly when there is no trace
  SharedPrefix shared_prefix;             // of drawn requests
  Sessions sessions;                      // of drawn requests
  std::optional<PerSecond> rate;          // of requests, on average; absent: the trace's own
  std::optional<Arrivals> arrivals;       // absent: the trace's times, or Poisson
  std::optional<ClosedLoop> closed_loop;
  std::optional<std::int64_t> requests;  // at most
  std::optional<Seconds> duration;       // no request comes later
  Seconds warm_up;                       // requests that come before are served but not measured
};

/// Reads the `load:` block of a scenario (docs/loads.md).
LoadSpec read_load(Fields& fields);

/// The requests of `spec`. The same spec, seed and files give the same requests; `home` is where
/// data/traces is. Throws MissingInput for a trace that is not there, and InputError, also later
/// from next(), for one that is not whole or has not what `spec` asks of it.
std::unique_ptr<RequestSource> open_load(const LoadSpec& spec, const std::filesystem::path& home,
                                         std::uint64_t seed);

/// `spec` with requests coming at `rate` on average: one point of a load curve. Requires rate > 0.
/// Throws InputError for a closed loop, whose rate is the service's.
LoadSpec with_rate(LoadSpec spec, PerSecond rate);

/// Requests a second that `spec` has, by itself or by its trace. Throws as open_load and with_rate.
PerSecond mean_rate(const LoadSpec& spec, const std::filesystem::path& home);

}  // namespace presil::serving
