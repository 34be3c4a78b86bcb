// What follows from a chip's files: computed and shown by `presil show`, never typed in.
#pragma once

#include <string>
#include <vector>

#include "base/number_format.h"
#include "base/units.h"
#include "chip/library.h"

namespace presil {

/// Dense peak in `format`, a multiply-add counting two; 0 when the engine does not multiply it.
FlopsPerSecond peak_flops(const Chip& chip, Format format);

struct DerivedFigure {
  std::string name;  // dotted, such as "peak.bf16"
  double value = 0;
  std::string unit;     // of `value`
  std::string text;     // "989 TFLOP/s"
  std::string formula;  // with the chip's numbers in it
};

/// Peaks, bandwidths, capacities and balance points, each with its formula.
std::vector<DerivedFigure> derive(const ChipFiles& files);

}  // namespace presil
