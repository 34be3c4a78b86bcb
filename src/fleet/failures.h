// How often chips fail, how long they are missed, and how many must stand by.
//
// A record of a fleet that was watched (events by cause over chips and time) gives rates; each
// cause has what it takes out and for how long. What goes out together, a server or the servers
// that a replica spans, is one unit; units fail independently and are repaired on their own, so
// each is a renewal process that is up for MTBF / (MTBF + mean repair) of the time, and the number
// of units up is binomial.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/fields.h"
#include "base/units.h"

namespace presil::fleet {

struct FailureCause {
  enum class Takes {
    replica,  // the chips of one replica, which starts again
    server    // the servers that the replica is on, which are drained and mended
  };

  std::string name;
  double events = 0;  // in the record
  Takes takes = Takes::server;
  Seconds out{3600};    // until what it took serves again
  double scrapped = 0;  // share of events after which a chip is thrown away
};

struct FailureRecord {
  std::int64_t chips = 1;
  Seconds time{86400};
  std::vector<FailureCause> causes;
};

/// A replica and the servers it is on.
struct Placement {
  std::int64_t chips_per_replica = 1;
  std::int64_t chips_per_server = 8;

  std::int64_t servers_per_replica() const;  // 1 where several share one
  std::int64_t replicas_per_server() const;  // 1 where one spans several
  std::int64_t replicas_per_unit() const { return replicas_per_server(); }
  std::int64_t chips_per_unit() const { return servers_per_replica() * chips_per_server; }
};

/// Events per chip and second, all causes.
double failure_rate(const FailureRecord& record);

/// Mean time between failures of a set of `chips`.
Seconds mtbf(const FailureRecord& record, std::int64_t chips);

/// Times a second that a replica goes out, whoever's chip it was.
double outage_rate(const FailureRecord& record, const Placement& placement);

/// The share of time that a replica is up: 1 / (1 + sum of rate x out over the causes).
double availability(const FailureRecord& record, const Placement& placement);

/// Chips thrown away per chip and second.
double scrap_rate(const FailureRecord& record);

/// The largest number of `units` that are up at once with at least `confidence`, each being up for
/// `availability` of the time.
std::int64_t units_up(std::int64_t units, double availability, double confidence);

/// How many more units than `required` must be there, that `required` are up with `confidence`.
std::int64_t spares_for(std::int64_t required, double availability, double confidence);

FailureRecord read_failures(Fields& f);

}  // namespace presil::fleet
