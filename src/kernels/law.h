// What every kernel law shares.
//
// On a GPU people run a library's kernels, not optimal ones. A law says in closed form how long one
// such kernel takes on any chip: from the chip's features (machine.h), the shape, and a few
// constants with physical names (constants.h) that were fitted on measured kernels. What DRAM does
// is not the law's: it names the bytes (Traffic), the memory engine says how long they take, and
// Terms puts both together.
#pragma once

#include <cmath>
#include <string>

#include "base/units.h"

namespace presil::kernels {

/// Bytes that one kernel moves between the chip and its DRAM.
struct Traffic {
  double read = 0;
  double written = 0;
};

/// What is in the last-level cache when a kernel starts.
enum class Residency {
  streaming,  // a server: other layers passed in between, weights and KV come from DRAM
  cycling,    // a benchmark's loop: what fits is still there from the call before
};

/// A kernel's time without DRAM, in microseconds, and how DRAM time goes into it:
///   max(floor, before + ||work, dram / dram_share||_overlap + after)
/// ||x, y||_p = (x^p + y^p)^(1/p): p = 1 one after the other, large p fully overlapped.
struct Terms {
  double before = 0;  // launch and prologue: nothing is read yet
  double work = 0;    // engines of the busiest core, caches and network
  double overlap = 8;
  double dram_share = 1;  // of the memory engine's bandwidth that the kernel can draw
  double after = 0;       // epilogues, reductions, further passes
  double floor = 0;       // of the host, when that is what was measured
  std::string kernel;     // the tile and split that were chosen, for people
};

inline double norm(double x, double y, double p) {
  const double most = x > y ? x : y;
  if (most <= 0) return 0;
  const double least = x > y ? y : x;
  return most * std::pow(1 + std::pow(least / most, p), 1 / p);
}

/// Microseconds of the kernel whose DRAM traffic takes the memory engine `dram_us`.
inline double total_us(const Terms& t, double dram_us) {
  const double busy = t.before + norm(t.work, dram_us / t.dram_share, t.overlap) + t.after;
  return busy > t.floor ? busy : t.floor;
}

}  // namespace presil::kernels
