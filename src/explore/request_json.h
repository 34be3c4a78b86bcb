// A run's request as JSON, and back: what `presil run --json` says it was asked, from which the
// same run can be made again.
#pragma once

#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "explore/parts_json.h"
#include "explore/run_request.h"

namespace presil {

std::string_view to_string(Mode mode);
std::string_view to_string(PhaseChoice phase);

Json request_json(const RunRequest& request);

/// The request that `json`, the `request` of a stored run, was made from. Throws InputError for a
/// document that is none.
RunRequest request_from_json(const Json& json);

}  // namespace presil
