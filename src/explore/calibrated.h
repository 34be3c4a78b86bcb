// The shipped calibration text, read by a model before smoothed numerics can run it.
#pragma once

#include <filesystem>

#include "model/weights.h"
#include "program/program.h"
#include "values/calibration.h"

namespace presil {

/// What a session of `program` needs for its numerics: calibrated on home/data/calibration.txt
/// where they are smoothed (the first 256 tokens, in fp32), empty where they are not.
Calibration calibration_for(const Program& program, const Weights& weights,
                            const std::filesystem::path& home);

}  // namespace presil
