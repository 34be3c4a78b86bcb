// A chip without DRAM keeps weights and KV in the memory that its cores share. To all that asks for
// a DRAM part this memory is one: banks that need no activate, no refresh and no turnaround, which
// together read at sram.read. So the engine that times DRAM times it too.
#pragma once

#include "chip/chip.h"
#include "chip/memory_part.h"
#include "chip/node.h"

namespace presil {

/// The part that `sram` stands for, with the node's joules a bit.
MemoryPart sram_part(const SharedMemory& sram, const ProcessNode& node);

/// How it is driven: one of it, at its full rate.
Dram sram_as_dram(const MemoryPart& part);

}  // namespace presil
