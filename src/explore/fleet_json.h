// The JSON of a fleet: `fleet` in "presil/serve/1" (docs/fleet.md).
#pragma once

#include "explore/parts_json.h"
#include "fleet/fleet.h"

namespace presil {

Json fleet_json(const fleet::FleetSpec& spec, const fleet::FleetResult& result);

}  // namespace presil
