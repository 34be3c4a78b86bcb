#include "compiler/machine.h"

#include "chip/dram_shape.h"
#include "chip/gemm_demand.h"

namespace presil {

void describe_machine(Program& program, const Chip& chip, const MemoryPart& part) {
  program.chip = chip.name;
  program.cores = chip.core.count;
  program.local_memory = chip.core.sram.size;
  program.shared_memory = usable_shared_memory(chip);
  program.dram_capacity = dram_capacity(part, chip.dram);
  program.dram_unit = interleave_unit(part, chip.dram);
}

}  // namespace presil
