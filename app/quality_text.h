// A comparison of two arithmetics, for a person.
#pragma once

#include <string>

#include "explore/quality.h"

namespace presil::app {

/// How far the answers were apart, where they first differ, and the error after each layer.
std::string quality_text(const Quality& quality, bool colour);

}  // namespace presil::app
