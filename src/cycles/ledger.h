// Where a step's time went: every picosecond of every kernel is charged to one resource.
#pragma once

#include "base/units.h"
#include "chip/chip.h"
#include "cycles/step_memory.h"
#include "cycles/timeline.h"
#include "cycles/work.h"

namespace presil {

class Ledger {
 public:
  /// Charges the time since the last charge to `resource`. What ran meanwhile was hidden behind it.
  void charge_until(Resource resource, Picoseconds time);

  /// What the charges since the last kernel amount to, each by itself.
  const Charges& charges() const { return charges_; }

  /// Ends a kernel at `end`, where the next begins: all charges since the last one were its own.
  /// `kernel` comes with its name, its busy engines and its error class.
  void close(KernelTime kernel, const KernelWork& work, Picoseconds end);

  /// When the last kernel ended.
  Picoseconds now() const { return result_.total; }

  /// The step, with what its memory did; `resource` is what memory is charged to.
  Timeline finish(StepMemory& memory, Resource resource);

 private:
  Timeline result_;
  Charges charges_{};
  Picoseconds charged_{0};
};

/// The sheet of a kernel that has not run yet: its names and its error class but for the regime.
KernelTime kernel_time(const BoundProgram& bound, const KernelAt& at);

/// The place of a resource in Charges.
inline std::size_t index_of(Resource r) {
  return static_cast<std::size_t>(r);
}

/// What weights and caches come from.
inline Resource memory_resource(const Chip& chip) {
  return chip.dram.is_on_chip() ? Resource::sram : Resource::dram;
}

}  // namespace presil
