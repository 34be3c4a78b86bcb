#include "chip/sram_part.h"

#include "chip/dram_shape.h"

namespace presil {
namespace {

constexpr std::int64_t kPorts = 64;     // each moves a line at a time
constexpr DramTiming kOneCycle{{}, 1};  // no rule binds longer than a line takes

}  // namespace

MemoryPart sram_part(const SharedMemory& sram, const ProcessNode& node) {
  MemoryPart part;
  part.name = part.family = Dram::kOnChip;
  part.channels = kPorts;
  part.width = kInterleaveLine * 8;
  const double usable = static_cast<double>(sram.size.count()) * sram.usable;
  part.page = Bytes(static_cast<std::int64_t>(usable) / kPorts / kInterleaveLine * kInterleaveLine);
  part.rate = BitsPerSecond(sram.read.count() * 8 / static_cast<double>(kPorts * part.width));
  part.bits_per_clock = 1;
  for (const DramTimingField& field : dram_timing_fields()) part.*field.member = kOneCycle;
  part.mapping = "row stack_id bank column bank_group";
  part.read_bit = part.write_bit = node.energy.shared_bit;
  return part;
}

Dram sram_as_dram(const MemoryPart& part) {
  Dram dram;
  dram.part = part.name;
  dram.rate = part.rate;
  dram.refresh = Refresh::off;
  return dram;
}

}  // namespace presil
