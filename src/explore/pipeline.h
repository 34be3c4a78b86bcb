// The stages of a pipeline put together: what a microbatch waits for, and what a batch.
#pragma once

#include <cstdint>
#include <vector>

#include "explore/phase.h"

namespace presil {

/// One phase of all stages, each run with one microbatch. The result's timeline is that of the
/// whole batch:
///
/// prefill: the first microbatch passes all stages, then one leaves each time the slowest stage has
/// ended. decode: a microbatch comes back to the first stage once it has left the last one, so a
/// step takes all stages together or, with more microbatches than that hides, as many times the
/// slowest.
///
/// Counts, bytes and energy are those of a chip of every stage together; kernels are those of one
/// microbatch on its way.
PhaseResult join_stages(std::vector<PhaseResult> stages, std::int64_t microbatches,
                        const ChipFiles& chip);

}  // namespace presil
