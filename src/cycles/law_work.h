// Kernels of a library, timed by their laws instead of tile by tile (kernels/law.h).
#pragma once

#include <functional>
#include <optional>

#include "cycles/resource.h"
#include "cycles/work.h"
#include "kernels/library.h"

namespace presil {

/// One kernel as its law sees it, waiting for what DRAM says.
struct LawWork {
  /// Microseconds that its DRAM traffic took, to its terms.
  std::function<kernels::Terms(double dram_us)> terms;
  /// What a warm cache leaves of the program's traffic; nothing: all of it.
  std::optional<kernels::Traffic> traffic;
  Resource engine = Resource::matrix;  // that its work is charged to
};

/// The kernel `bound.blocks[block].kernels[kernel]` in `library`, on a machine at `clock` of its
/// highest, launched in `mode`.
LawWork law_work(const BoundProgram& bound, std::size_t block, std::size_t kernel, const Chip& chip,
                 const kernels::Library& library, double clock, LaunchMode mode);

}  // namespace presil
