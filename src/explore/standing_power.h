// The power that a chip draws whether or not anything happens on it.
#pragma once

#include "base/units.h"
#include "cost/energy.h"

namespace presil {

/// Idle power, background and refresh of the DRAM in `bill`, over the `time` that it is for.
Watts standing_power(const EnergyBill& bill, Picoseconds time);

}  // namespace presil
