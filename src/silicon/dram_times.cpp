#include "silicon/dram_times.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "base/error.h"
#include "chip/dram_shape.h"
#include "dram/transfers/memory.h"

namespace presil::silicon {
namespace {

constexpr Picoseconds kNeverLater(INT64_MAX / 4);
constexpr std::int64_t kSimulated = 256;  // units of a part that are always simulated
constexpr std::int64_t kStream = 4096;    // units whose mean rate counts
constexpr int kMostIntervals = 4;         // in a period

double microseconds(Picoseconds time) {
  return static_cast<double>(time.count()) / 1e6;
}

dram::Transfer transfer_of(std::int64_t base, std::int64_t length, bool write) {
  dram::Transfer transfer;
  transfer.stream.base = base;
  transfer.stream.length = length;
  transfer.write = write;
  transfer.requester = write ? 1 : 0;
  return transfer;
}

}  // namespace

DramTimes::DramTimes(const MemoryPart& part, const Dram& dram)
    : part_(part),
      dram_(dram),
      unit_(interleave_unit(part, dram).count()),
      most_(dram_capacity(part, dram).count() / unit_),
      reads_(period_of(false)),
      writes_(period_of(true)) {}

DramTimes::Period DramTimes::period_of(bool write) const {
  const auto alone = [&](std::int64_t units) {
    return simulate(write ? Units{0, units} : Units{units, 0});
  };
  const std::int64_t stream = std::min(kStream, most_ - kSimulated);
  if (stream < kStream) return {};
  const double begin = alone(kSimulated);
  const double slope = (alone(kSimulated + stream) - begin) / static_cast<double>(stream);
  // The state comes back after whole refresh intervals; as many as come out at whole units.
  const double interval = microseconds(part_.tREFI.time) / (dram_.hot ? 2 : 1);
  Period best;
  double least = std::numeric_limits<double>::infinity();
  for (int intervals = 1; intervals <= kMostIntervals; ++intervals) {
    const double units = intervals * interval / slope;
    const double off = std::abs(units - std::round(units)) / intervals;
    if (off >= least || units < 1) continue;
    least = off;
    best.units = std::llround(units);
  }
  const std::int64_t times = std::max<std::int64_t>(1, stream / best.units);
  best.us = (alone(kSimulated + times * best.units) - begin) / static_cast<double>(times);
  return best;
}

DramTimes::Units DramTimes::units_of(const kernels::Traffic& traffic) const {
  const auto units = [&](double bytes) {
    return static_cast<std::int64_t>(std::ceil(std::max(0.0, bytes) / static_cast<double>(unit_)));
  };
  return {units(traffic.read), units(traffic.written)};
}

double DramTimes::simulated_us(const kernels::Traffic& traffic) const {
  return simulate(units_of(traffic));
}

double DramTimes::us(const kernels::Traffic& traffic) {
  const auto jumps = [](std::int64_t units, const Period& period) {
    return period.us == 0 ? 0 : std::max<std::int64_t>(0, (units - kSimulated) / period.units);
  };
  Units shortened = units_of(traffic);
  if (shortened == Units{0, 0}) return 0;
  const std::int64_t of_reads = jumps(shortened.first, reads_);
  const std::int64_t of_writes = jumps(shortened.second, writes_);
  shortened.first -= of_reads * reads_.units;
  shortened.second -= of_writes * writes_.units;
  const double added =
      static_cast<double>(of_reads) * reads_.us + static_cast<double>(of_writes) * writes_.us;
  {
    const std::lock_guard lock(mutex_);
    const auto known = known_.find(shortened);
    if (known != known_.end()) return known->second + added;
  }
  const double us = simulate(shortened);
  const std::lock_guard lock(mutex_);
  known_.emplace(shortened, us);
  return us + added;
}

double DramTimes::simulate(Units units) const {
  dram::Memory memory(part_, dram_);
  for (const bool write : {false, true}) {
    const std::int64_t count = std::min(write ? units.second : units.first, most_);
    if (count > 0) memory.submit(transfer_of(0, count * unit_, write));
  }
  Picoseconds last(0);
  while (memory.pending() > 0) {
    const auto arrival = memory.advance(kNeverLater);
    CHECK(arrival.has_value(), "a transfer that was submitted arrives");
    last = std::max(last, arrival->time);
  }
  return microseconds(last);
}

}  // namespace presil::silicon
