// The shipped calibration text, read by a model before smoothed numerics can run it.
#pragma once

#include <cstddef>
#include <filesystem>

#include "model/weights.h"
#include "program/program.h"
#include "values/calibration.h"

namespace presil {

/// Tokens that a model reads for its calibration, of the text's.
inline constexpr std::size_t kCalibrationTokens = 256;

/// What a session of `program` needs for its numerics: calibrated on home/data/calibration.txt
/// where they are smoothed (a pass in fp32 over its first kCalibrationTokens), empty where they are
/// not.
Calibration calibration_for(const Program& program, const Weights& weights,
                            const std::filesystem::path& home);

}  // namespace presil
