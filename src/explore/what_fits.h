// What would make a model fit that does not: found by trying.
#pragma once

#include <string>

#include "explore/run.h"

namespace presil {

/// The nearest changes of the request under which its steps fit the chips' memories, as options
/// with what a chip then holds: more chips in tensor parallel, stages of a pipeline, narrower
/// weights. "" when none of them does.
std::string what_would_fit(const RunRequest& request, const Places& places);

}  // namespace presil
