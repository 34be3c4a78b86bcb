// The verbs of the command line, and what each of them can be told.
#pragma once

#include <functional>

#include "app/options.h"

namespace presil::app {

/// Adds every verb to `app`. Parsing fills `o`, which must outlive `app`, and sets `call` to the
/// chosen verb with its options.
void add_verbs(CLI::App& app, Options& o, std::function<int()>& call);

}  // namespace presil::app
