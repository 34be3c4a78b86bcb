// What a simulation amounts to: its counts as times, rates and shares.
#pragma once

#include "base/units.h"
#include "chip/dram_energy.h"
#include "dram/run/simulate.h"

namespace presil::dram {

/// How long `ticks` last; part of a tick counts.
Seconds time_of(const SimulationResult& result, double ticks);
/// Until the end of the last data.
Seconds time_of(const SimulationResult& result);

/// Bytes of the workload over the time; 0 when nothing was sent.
BytesPerSecond bandwidth(const SimulationResult& result);
/// ... as a share of the peak, 0 to 1.
double efficiency(const SimulationResult& result);

/// Of a result of the engines event or fast; the reference engine knows the data's share only.
BusShares data_bus_shares(const SimulationResult& result, const MemoryPart& part);

/// What costs energy.
DramEvents events_of(const SimulationResult& result, const MemoryPart& part);

}  // namespace presil::dram
