// The JSON of a scenario's answer: "presil/serve/1" (docs/serve.md).
#pragma once

#include "explore/parts_json.h"
#include "explore/serve.h"

namespace presil {

/// Without `host`, which only the command line knows.
Json to_json(const ServeAnswer& answer);

}  // namespace presil
