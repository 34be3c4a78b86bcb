// What a program keeps of the chip that it is compiled for.
#pragma once

#include "chip/chip.h"
#include "chip/memory_part.h"
#include "program/program.h"

namespace presil {

/// Fills in the fields that bind reads: cores, memories, how DRAM is interleaved.
void describe_machine(Program& program, const Chip& chip, const MemoryPart& part);

}  // namespace presil
