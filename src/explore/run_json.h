// The JSON of a run, as DESIGN.md's contract has it: keys carry their unit.
#pragma once

#include <string>

#include "explore/parts_json.h"
#include "explore/run.h"

namespace presil {

/// Without `host`, which only main knows. "schema": "presil/run/1".
Json to_json(const RunResult& result);

/// A run that was answered "no": schema, request and the reason with its remedy.
Json to_json(const RunRequest& request, const Infeasible& answer);

/// The phases and the price only: what a point of a sweep keeps.
Json summary_json(const RunResult& result);

}  // namespace presil
