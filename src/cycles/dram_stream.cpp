#include "cycles/dram_stream.h"

#include <algorithm>

#include "chip/dram_shape.h"
#include "cycles/buffer.h"
#include "dram/transfers/memory.h"

namespace presil {

BytesPerSecond stream_bandwidth(const MemoryPart& part, const Dram& dram) {
  // Long against a refresh interval: 16,384 lines on every pseudo-channel are 4 MiB on each.
  constexpr std::int64_t kLines = 16384;
  dram::Memory memory(part, dram);
  dram::Transfer transfer;
  transfer.stream.length =
      std::min(interleave_unit(part, dram).count() * kLines, memory.capacity().count());
  memory.submit(transfer);
  const auto arrival = memory.advance(kForever);
  CHECK(arrival.has_value(), "a transfer that was submitted arrives");
  return BytesPerSecond(static_cast<double>(transfer.stream.length) /
                        to_seconds(arrival->time).count());
}

}  // namespace presil
