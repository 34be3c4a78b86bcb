// What the exchanges between chips ask for: which collective over which links, and its time.
#pragma once

#include "cycles/kernel_meter.h"
#include "kernels/collective_law.h"

namespace presil {

/// Whether `op` sends anything to other chips.
bool is_collective(Op op);

/// The exchange of a kernel for which is_collective holds: its size in this step and what joins the
/// chips. Throws InputError for a group that no link and no network joins.
kernels::CollectiveCall collective_call(const KernelMeter& meter);

/// Counts an exchange as nobody's software would slow it down: sums, bytes by link and by network,
/// time.
void count_collective(KernelMeter& meter);

}  // namespace presil
