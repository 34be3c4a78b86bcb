// From a request to a compiled program: the chip, the model and its weights are found, read and
// held against each other.
#pragma once

#include <optional>

#include "explore/run.h"
#include "model/weights.h"

namespace presil {

/// The result before anything is run: chip, model and program of a request without a text. Throws
/// InputError or MissingInput; Infeasible when no program fits the chip.
Feasible<RunResult> prepare(const RunRequest& request, const Places& places);

/// The same with the model's weights, unless the request is for cycles alone and names none. Opens
/// them when `weights` is empty, else takes it for them, so that several requests for one model
/// share them.
Feasible<RunResult> prepare(const RunRequest& request, const Places& places,
                            std::optional<Weights>& weights);

}  // namespace presil
