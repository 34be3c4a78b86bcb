// The `engine:` block of a scenario: EngineOptions by vLLM's names.
#pragma once

#include "base/fields.h"
#include "serving/engine/options.h"

namespace presil::serving {

/// Reads the knobs of an engine. Role, pipeline stages and the seed belong to the pool and to the
/// scenario, and are not read here; num_blocks is 0 unless num_gpu_blocks_override gives it.
EngineOptions read_engine(Fields& fields);

}  // namespace presil::serving
