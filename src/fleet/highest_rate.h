// The highest rate of requests at which a replica keeps its promise.
#pragma once

#include <cstdint>
#include <string>

#include "fleet/pod.h"

namespace presil::fleet {

struct HighestRate {
  double rate = 0;            // requests/s of a replica; 0: none keeps the promise
  double watts = 0;           // of the replica's chips at that rate
  double most_watts = 0;      // at any rate up to it
  std::int64_t requests = 0;  // simulated to find it
  std::string limit;          // that the next higher rate breaks; "": none, but its queue grows
  double limit_value_s = 0;   // what it is then
};

/// Doubles the rate from one request at a time until the promise breaks, then halves the gap until
/// it is 2 %. Each trial simulates `sections` pods of `run` side by side, one window each;
/// run.rates is not looked at. A promise is on ttft, tpot and e2e; requests that end faster than
/// they come are asked for as well, since a queue that grows breaks any promise in the end.
HighestRate find_highest_rate(const PodRun& run, std::int64_t sections);

}  // namespace presil::fleet
