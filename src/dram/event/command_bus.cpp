#include "dram/event/command_bus.h"

#include "dram/timing.h"

namespace presil::dram {

CommandBus::CommandBus(const MemoryPart& part)
    : pseudo_channels_(static_cast<int>(part.pseudo_channels)),
      banks_(static_cast<int>(part.total_banks())),
      rows_(static_cast<int>(part.rows)),
      column_(part.shared_command_bus ? 0 : 1),
      last_row_(static_cast<std::size_t>(pseudo_channels_ * banks_), 0) {
  for (int c = 0; c < kCommands; ++c) {
    const auto command = static_cast<Command>(c);
    slots_[static_cast<std::size_t>(c)] = slots_of(command, part);
    for (int bank = 0; bank < pseudo_channels_ * banks_; ++bank) {
      which_.push_back(LogHash::which(command, bank));
    }
  }
}

}  // namespace presil::dram
