// The JSON of parts that several verbs show, so that they read alike everywhere.
#pragma once

#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "base/error.h"
#include "base/units.h"
#include "chip/inputs.h"
#include "cost/price.h"
#include "cycles/resource.h"

namespace presil {

using Json = nlohmann::ordered_json;

/// {low, typical, high}.
Json band_json(const Band& band);

/// {resource: share of the time} for those that were charged.
Json bound_shares_json(const Charges& charges);

/// A list of {name, low, typical, high, source}, in USD.
Json lines_json(const std::vector<CostLine>& lines);

/// A list of {file, line, column, message}; line 0 is the file or the argument as a whole.
Json errors_json(const std::vector<Diagnostic>& errors);

/// The fields whose values are estimates, as "file: field": a result is no surer than these.
Json estimates_json(const std::vector<InputValue>& inputs);

/// A list of {file, line, field, value}, with {confidence, ref} where a source is known.
Json inputs_json(const std::vector<InputValue>& inputs);

}  // namespace presil
