#include "cycles/memory_flow.h"

#include <algorithm>
#include <cmath>

#include "chip/dram_shape.h"
#include "cycles/buffer.h"
#include "dram/transfers/memory.h"

namespace presil {
namespace {

/// When the last of a stream has arrived.
double seconds_of(dram::Memory& memory, std::int64_t bytes, bool write) {
  dram::Transfer transfer;
  transfer.stream.length = bytes;
  transfer.write = write;
  memory.submit(transfer);
  const auto arrival = memory.advance(kForever);
  CHECK(arrival.has_value(), "a transfer that was submitted arrives");
  return to_seconds(arrival->time).count();
}

}  // namespace

MemoryFlow memory_flow(const MemoryPart& part, const Dram& dram) {
  constexpr std::int64_t kFew = 256, kMany = 16384;  // lines: short, and long against a refresh
  const std::int64_t line = interleave_unit(part, dram).count();
  MemoryFlow flow;
  for (const bool write : {false, true}) {
    dram::Memory few(part, dram), many(part, dram);
    const std::int64_t most = std::min(line * kMany, many.capacity().count());
    const std::int64_t least = std::min(line * kFew, most / 2);
    const double short_s = seconds_of(few, least, write), long_s = seconds_of(many, most, write);
    MemoryFlow::Direction& d = write ? flow.written : flow.read;
    d.seconds_per_byte = (long_s - short_s) / static_cast<double>(most - least);
    const double latency_s = short_s - d.seconds_per_byte * static_cast<double>(least);
    d.latency = to_picoseconds(Seconds(std::max(0.0, latency_s)));
    flow.peak = many.peak();
    if (!write) {
      flow.rows_per_byte =
          static_cast<double>(many.statistics().commands.ACT) / static_cast<double>(most);
    }
  }
  return flow;
}

}  // namespace presil
