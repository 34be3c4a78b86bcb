// Measured rows of every operator as one kind of thing: a situation, traffic, and a time to come.
#pragma once

#include <functional>
#include <string>
#include <variant>

#include "chip/network.h"
#include "kernels/constants.h"
#include "kernels/law.h"
#include "kernels/uncertainty.h"
#include "silicon/measured_chips.h"
#include "silicon/rows.h"

namespace presil::silicon {

/// A row as the call of its operator's law.
struct LawRow {
  kernels::Situation situation;
  kernels::Traffic traffic;
  /// With the law's constants in the situation, and what the traffic takes.
  std::function<kernels::Terms(kernels::Constants, double dram_us)> terms;
};

kernels::LawInfo law_of(MeasuredOp op);

/// The scale-out network called so; from several threads.
using NetworkByName = std::function<ScaleOut(const std::string& name)>;

/// The row on `chip`, or why it cannot be predicted. `chip` outlives the result.
std::variant<LawRow, std::string> law_row(const Row& row, const MeasuredChip& chip,
                                          const NetworkByName& networks);

/// A predicted time, and what most of it is.
struct RowTime {
  double us = 0;
  kernels::Regime regime = kernels::Regime::launch;
};

/// The row's operator on a chip without a kernel library: its own program, tile by tile, from
/// memory; or why it has no time.
std::variant<RowTime, std::string> tiles_time(const Row& row, const MeasuredChip& chip);

}  // namespace presil::silicon
