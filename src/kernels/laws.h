// Every law that has constants.
#pragma once

#include <vector>

#include "kernels/constants.h"

namespace presil::kernels {

/// In the order in which software/constants.yaml has them.
std::vector<LawInfo> all_laws();

}  // namespace presil::kernels
