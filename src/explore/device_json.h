// The JSON of a device's answer: the value of "device" in "presil/serve/1" (docs/device.md).
#pragma once

#include "explore/device_service.h"
#include "explore/parts_json.h"

namespace presil {

Json to_json(const DeviceAnswer& answer);

}  // namespace presil
