// What the memory engine says of a kernel's traffic, remembered by its size.
//
// A kernel hands over a stream of reads and a stream of writes at once. A long stream comes back to
// the same state after some refresh intervals, so only its beginning is simulated and whole periods
// are added: those of the reads and those of the writes, since the bus carries one at a time. What
// a period takes is measured on long streams of the chip's own memory; a test holds the sum against
// a simulation of everything.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <utility>

#include "chip/chip.h"
#include "chip/memory_part.h"
#include "kernels/law.h"

namespace presil::silicon {

class DramTimes {
 public:
  DramTimes(const MemoryPart& part, const Dram& dram);

  /// Microseconds until the last byte of one stream of reads and one of writes, both handed over
  /// at time 0, has arrived. Sizes are rounded up to a line on every pseudo-channel. May be called
  /// from several threads.
  double us(const kernels::Traffic& traffic);

  /// The same with nothing left out.
  double simulated_us(const kernels::Traffic& traffic) const;

 private:
  /// In units: a line on every pseudo-channel.
  struct Period {
    std::int64_t units = 1;
    double us = 0;
  };
  using Units = std::pair<std::int64_t, std::int64_t>;  // read, written

  Units units_of(const kernels::Traffic& traffic) const;
  double simulate(Units units) const;
  Period period_of(bool write) const;

  const MemoryPart part_;
  const Dram dram_;
  const std::int64_t unit_;  // bytes
  const std::int64_t most_;  // units that the memory holds
  const Period reads_, writes_;
  std::mutex mutex_;
  std::map<Units, double> known_;
};

}  // namespace presil::silicon
