// The JSON of `presil dram`, as docs/dram.md describes it: keys carry their unit.
#pragma once

#include "explore/dram_run.h"
#include "explore/parts_json.h"

namespace presil {

/// Without `host`, which only main knows. "schema": "presil/dram/1".
Json to_json(const DramRun& run);

}  // namespace presil
